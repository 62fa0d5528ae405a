#include "enforce/mock.h"

#include "enforce/list.h"
#include "gateway/mock.h"

enum {
    /* Elements of a header that are looked at: more are of use to nobody but an attacker. */
    ELEMENTS_MAX = 128,
    WEIGHT_MAX = 1000
};

/* --- Prefer ---------------------------------------------------------------------------------- */

struct preferences {
    struct list_word code, example; /* empty: none */
};

/* RFC 7240 2: names without regard to case; of several the first counts; what is malformed or
 * unknown is ignored. */
static struct preferences read_prefer(struct slice header)
{
    struct preferences out = {.code = {SLICE_NONE, false}};
    struct slice element, first, name;
    struct list_word value;
    bool code = false, example = false;

    for (unsigned n = 0; n < ELEMENTS_MAX && list_next(&header, ',', &element); n++) {
        if (!list_next(&element, ';', &first) || !list_pair(first, &name, &value))
            continue;
        if (!code && slice_eq_nocase(name, SLICE("code"))) {
            code = true;
            out.code = value;
        } else if (!example && slice_eq_nocase(name, SLICE("example"))) {
            example = true;
            out.example = value;
        }
    }
    return out;
}

static bool read_code(struct list_word word, unsigned *out)
{
    *out = 0;
    for (size_t i = 0; i < word.text.n; i++) {
        if (!ascii_is_digit(word.text.p[i]))
            return false;
        *out = *out * 10 + (unsigned)(word.text.p[i] - '0');
        if (i == 3)
            return false;
    }
    return word.text.n == 3;
}

/* The answer that stands for the status most precisely: 404 before 40x before 4xx. */
static const struct gw_mock_answer *answer_for(const struct gw_operation *op, unsigned status)
{
    const struct gw_mock_answer *best = NULL;
    unsigned best_x = 0;

    for (size_t i = 0; i < op->n_answers; i++) {
        const struct gw_mock_answer *a = &op->answers[i];
        unsigned x;

        if (!gw_mock_code_covers(a->code, status))
            continue;
        x = (unsigned)(a->code.p[1] == 'x') + (unsigned)(a->code.p[2] == 'x');
        if (best == NULL || x < best_x) {
            best = a;
            best_x = x;
        }
    }
    return best;
}

/* The lowest status that the code of an answer stands for. */
static unsigned status_of(const struct gw_mock_answer *a)
{
    unsigned status = 0;

    if (slice_is(a->code, "default"))
        return 200;
    for (size_t i = 0; i < a->code.n; i++)
        status = status * 10 + (a->code.p[i] == 'x' ? 0 : (unsigned)(a->code.p[i] - '0'));
    return status;
}

/* What who asks for nothing gets: answers without an example only when there are no others. */
static const struct gw_mock_answer *usual_answer(const struct gw_operation *op)
{
    const struct gw_mock_answer *full = NULL, *empty = NULL;

    for (size_t i = 0; i < op->n_answers; i++) {
        const struct gw_mock_answer *a = &op->answers[i];
        const struct gw_mock_answer **best = a->n_contents > 0 ? &full : &empty;

        if (*best == NULL ||
            (slice_is(a->code, "default") && !slice_is((*best)->code, "default")))
            *best = a;
    }
    return full != NULL ? full : empty;
}

/* --- Accept ---------------------------------------------------------------------------------- */

/* How well a range fits a media type; 0: not at all. */
enum { FITS_NOT, FITS_ANY, FITS_TYPE, FITS_BOTH /* and one more for each parameter */ };

/* qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ), in thousandths; -1: it is none. */
static int read_weight(struct slice s)
{
    int weight, unit = WEIGHT_MAX / 10;

    if (s.n == 0 || s.n > 5 || (s.p[0] != '0' && s.p[0] != '1') || (s.n > 1 && s.p[1] != '.'))
        return -1;
    weight = (s.p[0] - '0') * WEIGHT_MAX;
    for (size_t i = 2; i < s.n; i++, unit /= 10) {
        if (!ascii_is_digit(s.p[i]))
            return -1;
        weight += (s.p[i] - '0') * unit;
    }
    return weight <= WEIGHT_MAX ? weight : -1;
}

/* Has the media type another value for a parameter of the range? What only one of them has does not
 * matter: those who ask for JSON in UTF-8 are content with JSON. */
static bool parameter_fits(struct slice parameters, struct slice name, struct list_word value,
                           unsigned *fits)
{
    struct slice parameter, own_name;
    struct list_word own;

    while (list_next(&parameters, ';', &parameter)) {
        if (!list_pair(parameter, &own_name, &own) || !slice_eq_nocase(own_name, name))
            continue;
        if (!list_word_is(value, own.text, true))
            return false;
        (*fits)++;
    }
    return true;
}

/* A media range with its parameters. */
struct range {
    struct slice type, subtype, parameters;
    int weight;
};

/* False when it is malformed. "*" alone is what some old clients write for everything. */
static bool read_range(struct slice element, struct range *out)
{
    struct slice rest, media, parameter, name;
    struct list_word value;
    ptrdiff_t slash;

    if (!list_next(&element, ';', &media))
        return false;
    slash = slice_find(media, '/');
    out->type = slash < 0 ? media : slice_first(media, (size_t)slash);
    out->subtype = slash < 0 ? media : slice_from(media, (size_t)slash + 1);
    out->parameters = rest = element;
    out->weight = WEIGHT_MAX;
    while (list_next(&rest, ';', &parameter)) {
        if (!list_pair(parameter, &name, &value))
            return false;
        if (slice_eq_nocase(name, SLICE("q")))
            out->weight = value.quoted ? -1 : read_weight(value.text);
    }
    if (slash < 0)
        return slice_is(media, "*") && out->weight >= 0;
    return out->weight >= 0 && out->type.n > 0 && out->subtype.n > 0 &&
           (!slice_is(out->type, "*") || slice_is(out->subtype, "*"));
}

static unsigned range_fits(const struct range *range, struct slice media_type)
{
    struct slice own = media_type, essence = SLICE_NONE, rest = range->parameters, parameter, name;
    struct list_word value;
    unsigned fits = FITS_BOTH;
    size_t slash;

    list_next(&own, ';', &essence);
    slash = (size_t)slice_find(essence, '/'); /* a media type of the model has one */
    if (slice_is(range->type, "*"))
        return FITS_ANY;
    if (!slice_eq_nocase(range->type, slice_first(essence, slash)))
        return FITS_NOT;
    if (slice_is(range->subtype, "*"))
        return FITS_TYPE;
    if (!slice_eq_nocase(range->subtype, slice_from(essence, slash + 1)))
        return FITS_NOT;
    while (list_next(&rest, ';', &parameter)) {
        if (list_pair(parameter, &name, &value) && !slice_eq_nocase(name, SLICE("q")) &&
            !parameter_fits(own, name, value, &fits))
            return FITS_NOT;
    }
    return fits;
}

/* What the most specific range that fits says of a media type. */
struct verdict {
    unsigned fits;
    int weight;
};

static bool is_json(struct slice media_type)
{
    struct slice essence = SLICE_NONE;

    list_next(&media_type, ';', &essence);
    return slice_eq_nocase(essence, SLICE("application/json"));
}

/* The contents of an answer are at most GW_MOCK_CONTENTS_MAX: the reader of snapshots saw to it. */
static const struct gw_mock_content *best_content(const struct gw_mock_answer *a,
                                                  const struct verdict *verdicts)
{
    const struct gw_mock_content *best = NULL;
    struct verdict top = {FITS_NOT, 0};

    for (size_t i = 0; i < a->n_contents; i++) {
        struct verdict v = verdicts[i];
        bool better = v.weight > top.weight || (v.weight == top.weight && v.fits > top.fits) ||
                      (v.weight == top.weight && v.fits == top.fits && best != NULL &&
                       is_json(a->contents[i].media_type) && !is_json(best->media_type));

        if (v.fits != FITS_NOT && v.weight > 0 && better) {
            best = &a->contents[i];
            top = v;
        }
    }
    return best;
}

static const struct gw_mock_content *choose_content(const struct gw_mock_answer *a,
                                                    struct slice accept)
{
    struct verdict verdicts[GW_MOCK_CONTENTS_MAX];
    struct slice element;
    unsigned n = 0;

    for (size_t i = 0; i < GW_MOCK_CONTENTS_MAX; i++)
        verdicts[i] = (struct verdict){FITS_NOT, 0};
    for (; n < ELEMENTS_MAX && list_next(&accept, ',', &element); n++) {
        struct range range;

        if (!read_range(element, &range))
            continue;
        for (size_t i = 0; i < a->n_contents; i++) {
            unsigned fits = range_fits(&range, a->contents[i].media_type);

            if (fits > verdicts[i].fits)
                verdicts[i] = (struct verdict){fits, range.weight};
        }
    }
    for (size_t i = 0; n == 0 && i < a->n_contents; i++) /* RFC 9110 12.5.1: anything will do */
        verdicts[i] = (struct verdict){FITS_ANY, WEIGHT_MAX};
    return best_content(a, verdicts);
}

/* --- the example ----------------------------------------------------------------------------- */

/* The named one; the contract lowers the case of what is asked for, so that counts too. */
static const struct gw_mock_example *find_example(const struct gw_mock_content *c,
                                                  struct list_word name)
{
    for (unsigned any_case = 0; any_case < 2; any_case++) {
        for (size_t i = 0; i < c->n_examples; i++) {
            if (c->examples[i].name.n > 0 &&
                list_word_is(name, c->examples[i].name, any_case == 1))
                return &c->examples[i];
        }
    }
    return NULL;
}

static enum mock_fault choose_answer(const struct gw_operation *op, struct list_word code,
                                     struct mock_choice *out)
{
    out->preferred = code.text;
    if (code.text.n > 0 && !read_code(code, &out->status))
        return MOCK_BAD_CODE;
    if (op->n_answers == 0)
        return MOCK_NO_ANSWER;
    out->answer = code.text.n > 0 ? answer_for(op, out->status) : usual_answer(op);
    if (out->answer == NULL)
        return MOCK_NO_CODE;
    if (code.text.n == 0)
        out->status = status_of(out->answer);
    return MOCK_OK;
}

enum mock_fault mock_choose(const struct gw_operation *operation, struct slice prefer,
                            struct slice accept, struct mock_choice *out)
{
    struct preferences preferences = read_prefer(prefer);
    enum mock_fault fault;

    *out = (struct mock_choice){.status = 0};
    fault = choose_answer(operation, preferences.code, out);
    if (fault != MOCK_OK)
        return fault;
    out->preferred = accept;
    if (out->answer->n_contents > 0 && gw_mock_status_has_content(out->status)) {
        out->content = choose_content(out->answer, accept);
        if (out->content == NULL)
            return MOCK_NO_TYPE;
        out->example = &out->content->examples[0];
    }
    out->preferred = preferences.example.text;
    if (preferences.example.text.n > 0) {
        out->example =
            out->content != NULL ? find_example(out->content, preferences.example) : NULL;
        if (out->example == NULL)
            return MOCK_NO_EXAMPLE;
    }
    return MOCK_OK;
}
