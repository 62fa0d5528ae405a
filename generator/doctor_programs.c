/* doctor: the programs and libraries. */
#include "generator/doctor.h"

#include "generator/program.h"

#include <openssl/crypto.h>

enum { SAID_MAX_BYTES = 256 << 10, PROGRAM_TIMEOUT_MS = 5000 };

/* What `program option` says, in the arena; absent when it cannot be run or fails. */
static struct slice ask(struct doctor *d, const char *program, const char *option)
{
    const char *argv[] = {program, option, NULL};
    struct slice out = SLICE_NONE;
    struct buf said;
    int status = 0;

    buf_init(&said, SAID_MAX_BYTES);
    if (program_output(argv, PROGRAM_TIMEOUT_MS, &said, &status) == CC_OK && status == 0 &&
        said.n > 0)
        out = arena_dup(d->arena, buf_slice(&said));
    buf_free(&said);
    return out;
}

static struct slice first_line(struct slice said)
{
    struct slice line = SLICE("");

    slice_split(&said, '\n', &line);
    return line;
}

static bool take_number(struct slice *s, unsigned *out)
{
    size_t n = 0;
    uint64_t v;

    while (n < s->n && ascii_is_digit(s->p[n]))
        n++;
    if (slice_to_u64(slice_first(*s, n), &v) != CC_OK || v > 1000)
        return false;
    *out = (unsigned)v;
    *s = slice_from(*s, n);
    return true;
}

bool doctor_haproxy_version(struct slice line, unsigned *major, unsigned *minor)
{
    /* before 2.6: "HA-Proxy version" */
    static const struct slice starts[] = {SLICE_INIT("HAProxy version "),
                                          SLICE_INIT("HA-Proxy version ")};

    for (size_t i = 0; i < 2; i++) {
        struct slice rest = slice_from(line, starts[i].n);

        if (!slice_starts(line, starts[i]) || !take_number(&rest, major) || rest.n == 0 ||
            rest.p[0] != '.')
            continue;
        rest = slice_from(rest, 1);
        return take_number(&rest, minor);
    }
    return false;
}

bool doctor_has_feature(struct slice said, const char *word)
{
    struct slice wanted = slice_of(word);

    for (size_t i = 0; i + wanted.n <= said.n; i++) {
        struct slice at = slice_from(said, i);
        bool begins =
            i == 0 || said.p[i - 1] == ' ' || said.p[i - 1] == '\t' || said.p[i - 1] == '\n';

        if (begins && slice_starts(at, wanted) &&
            (at.n == wanted.n || at.p[wanted.n] == ' ' || at.p[wanted.n] == '\n'))
            return true;
    }
    return false;
}

static void check_features(struct doctor *d, const char *program)
{
    struct slice said = ask(d, program, "-vv");
    bool tls = doctor_has_feature(said, "+OPENSSL") || doctor_has_feature(said, "+OPENSSL_AWSLC");
    bool spoe = doctor_has_feature(said, "[SPOE] spoe");

    if (said.n == 0)
        doctor_say(d, DOCTOR_WARN, DOCTOR_FEATURES, "run it by hand", "`%s -vv` says nothing",
                   program);
    else if (tls && spoe)
        doctor_say(d, DOCTOR_OK, DOCTOR_FEATURES, NULL, "it has OPENSSL and SPOE");
    if (said.n > 0 && !tls)
        doctor_say(d, DOCTOR_FAIL, DOCTOR_FEATURES, "use a package with TLS, such as Debian's",
                   "it was built without OPENSSL");
    if (said.n > 0 && !spoe)
        doctor_say(d, DOCTOR_FAIL, DOCTOR_FEATURES, "use a package with SPOE, such as Debian's",
                   "it was built without SPOE, by which it asks the agent");
}

static void check_haproxy(struct doctor *d)
{
    static const char help[] = "install HAProxy 2.6 or newer, or name it with --haproxy";
    const char *name = d->haproxy != NULL ? d->haproxy : "haproxy";
    const char *program = program_find(name, d->arena);
    unsigned major, minor;
    struct slice line;

    if (program == NULL) {
        doctor_say(d, DOCTOR_FAIL, DOCTOR_HAPROXY, help, "there is no program '%s'", name);
        return;
    }
    line = first_line(ask(d, program, "-v"));
    if (!doctor_haproxy_version(line, &major, &minor)) {
        doctor_say(d, DOCTOR_FAIL, DOCTOR_HAPROXY, help, "`%s -v` names no version of HAProxy",
                   program);
        return;
    }
    if (major < 2 || (major == 2 && minor < 6))
        doctor_say(d, DOCTOR_FAIL, DOCTOR_HAPROXY, help, "%s is %u.%u, older than 2.6", program,
                   major, minor);
    else
        doctor_say(d, DOCTOR_OK, DOCTOR_HAPROXY, NULL, "%s: %" PRIslice, program, SLICE_ARG(line));
    check_features(d, program);
}

static void check_openssl(struct doctor *d)
{
    unsigned long runs = OpenSSL_version_num(), built = OPENSSL_VERSION_NUMBER;

    /* 0xMNN00PP0: whole releases count, patches are compatible either way */
    if (runs >> 20 < built >> 20)
        doctor_say(d, DOCTOR_FAIL, DOCTOR_OPENSSL, "install the libssl that belongs to cc-gen",
                   "%s runs, cc-gen was built with %s", OpenSSL_version(OPENSSL_VERSION),
                   OPENSSL_VERSION_TEXT);
    else
        doctor_say(d, DOCTOR_OK, DOCTOR_OPENSSL, NULL, "%s", OpenSSL_version(OPENSSL_VERSION));
}

static void check_spoa(struct doctor *d)
{
    const char *program =
        d->spoa != NULL ? program_find(d->spoa, d->arena) : program_beside("cc-spoa", d->arena);
    struct slice line;

    if (program == NULL && d->spoa == NULL)
        program = program_find("cc-spoa", d->arena);
    if (program == NULL) {
        doctor_say(d, d->spoa != NULL ? DOCTOR_FAIL : DOCTOR_WARN, DOCTOR_SPOA,
                   "install it where the gateway runs, or name it with --spoa",
                   "there is no program '%s'", d->spoa != NULL ? d->spoa : "cc-spoa");
        return;
    }
    line = first_line(ask(d, program, "-V"));
    if (slice_is(line, "cc-spoa " CC_VERSION))
        doctor_say(d, DOCTOR_OK, DOCTOR_SPOA, NULL, "%s: %" PRIslice, program, SLICE_ARG(line));
    else
        doctor_say(d, DOCTOR_FAIL, DOCTOR_SPOA, "install both programs from one release",
                   "%s says '%" PRIslice "', cc-gen is %s", program, SLICE_ARG(line), CC_VERSION);
}

void doctor_check_programs(struct doctor *d)
{
    check_haproxy(d);
    check_openssl(d);
    check_spoa(d);
}
