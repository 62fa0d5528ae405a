/* The commands of cc-gen: the one table that the parser and all help texts come from. */
#include "generator/cli.h"

#define OPTION_HELP                                \
    {                                              \
        "help", 'h', NULL, "show this help", false \
    }
#define OPTION_CONFIG                                                          \
    {                                                                          \
        "config", 'c', "FILE", "settings, cc.yaml (none: the defaults)", false \
    }
#define OPTION_SET                                                                          \
    {                                                                                       \
        "set", 0, "NAME=VALUE", "a setting that stands above cc.yaml and environment", true \
    }
#define OPTION_RESOLVE                                                            \
    {                                                                             \
        "resolve", 0, NULL, "refuse endpoint hosts that DNS does not know", false \
    }
#define OPTION_TEMPLATES                                                                          \
    {                                                                                             \
        "templates", 0, "DIR", "templates that replace the built-in ones of the same name", false \
    }
#define OPTION_HAPROXY                                                          \
    {                                                                           \
        "haproxy", 0, "PROG", "the haproxy program (default: from PATH)", false \
    }
#define OPTION_NO_CACHE                                                                        \
    {                                                                                          \
        "no-cache", 0, NULL, "read every project, also those that did not change since", false \
    }
#define OPTIONS_END                \
    {                              \
        NULL, 0, NULL, NULL, false \
    }

static const struct cli_option build_options[] = {
    {"output", 'o', "DIR", "where the generated files go (default: out)", false},
    OPTION_CONFIG,
    OPTION_SET,
    OPTION_TEMPLATES,
    OPTION_HAPROXY,
    {"no-haproxy-check", 0, NULL, "do not let HAProxy check the result (it may be absent)", false},
    OPTION_RESOLVE,
    OPTION_NO_CACHE,
    OPTION_HELP,
    OPTIONS_END,
};

static const struct cli_option check_options[] = {
    OPTION_CONFIG,  OPTION_SET,
    OPTION_RESOLVE, {"json", 0, NULL, "print one JSON object instead of lines", false},
    OPTION_HELP,    OPTIONS_END,
};

static const struct cli_option version_options[] = {
    {"json", 0, NULL, "print one JSON object instead of lines", false},
    OPTION_HELP,
    OPTIONS_END,
};

static const struct cli_option plan_options[] = {
    {"output", 'o', "DIR", "the directory that a build would write to (default: out)", false},
    OPTION_CONFIG,
    OPTION_SET,
    OPTION_TEMPLATES,
    OPTION_RESOLVE,
    OPTION_NO_CACHE,
    {"json", 0, NULL, "print one JSON object instead of lines", false},
    OPTION_HELP,
    OPTIONS_END,
};

static const struct cli_option rollback_options[] = {
    {"output", 'o', "DIR", "the directory that `build` writes to (default: out)", false},
    {"list", 'l', NULL, "list the generations that are kept, and switch nothing", false},
    OPTION_HAPROXY,
    {"no-haproxy-check", 0, NULL, "do not let HAProxy check the generation (it may be absent)",
     false},
    {"json", 0, NULL, "print one JSON object instead of lines", false},
    OPTION_HELP,
    OPTIONS_END,
};

static const struct cli_option doctor_options[] = {
    {"output", 'o', "DIR", "the directory that `build` writes to (default: out)", false},
    OPTION_CONFIG,
    OPTION_SET,
    OPTION_HAPROXY,
    {"spoa", 0, "PROG", "the cc-spoa program (default: beside cc-gen, then from PATH)", false},
    {"haproxy-config", 0, "FILE",
     "the main configuration of HAProxy (default: the -f of those that run)", false},
    {"haproxy-user", 0, "USER", "whom HAProxy runs as (default: as it runs, else haproxy)", false},
    {"json", 0, NULL, "print one JSON object instead of lines", false},
    OPTION_HELP,
    OPTIONS_END,
};

static const struct cli_option run_options[] = {
    OPTION_CONFIG,
    OPTION_SET,
    OPTION_TEMPLATES,
    OPTION_HAPROXY,
    {"spoa", 0, "PROG", "the cc-spoa program (default: beside cc-gen, then from PATH)", false},
    OPTION_RESOLVE,
    OPTION_HELP,
    OPTIONS_END,
};

static const struct cli_option token_options[] = {
    {"scope", 's', "SCOPE", "a scope that the token grants", true},
    {"expires", 0, "SECONDS", "exp: seconds from now, may be negative (default: 3600)", false},
    {"not-before", 0, "SECONDS", "nbf: seconds from now, may be negative (default: no nbf)", false},
    {"key-type", 0, "TYPE", "keytype: PRODUCTION or SANDBOX (default: PRODUCTION)", false},
    {"alg", 0, "ALG", "RS256 (default), RS384, RS512, PS256 ... ES256 ... or EdDSA", false},
    {"issuer", 0, "ISSUER", "iss (default: the development issuer of the key)", false},
    {"audience", 0, "AUDIENCE", "an aud of the token", true},
    {"subject", 0, "SUBJECT", "sub (default: developer)", false},
    {"claim", 0, "NAME=JSON", "any other claim; NAME=null removes one", true},
    {"key", 0, "FILE", "a private key in PEM instead of the development key", false},
    {"kid", 0, "KID", "key id in the token's header (default: none)", false},
    OPTION_HELP,
    OPTIONS_END,
};

#define OPTION_FAIL_SEVERITY                                                                     \
    {                                                                                            \
        "fail-severity", 0, "SEVERITY", "what exit code 1 is for: error, warning or info", false \
    }
#define OPTION_IGNORE                                                      \
    {                                                                      \
        "ignore", 0, "ID[,ID]", "rules that are left out, as CC8001", true \
    }
#define OPTION_REVIEW_JSON                                        \
    {                                                             \
        "json", 0, NULL, "one JSON object instead of text", false \
    }

static const struct cli_option lint_options[] = {
    OPTION_FAIL_SEVERITY, OPTION_IGNORE, OPTION_REVIEW_JSON, OPTION_CONFIG,
    OPTION_SET,           OPTION_HELP,   OPTIONS_END,
};

static const struct cli_option audit_options[] = {
    OPTION_FAIL_SEVERITY,
    OPTION_IGNORE,
    OPTION_REVIEW_JSON,
    OPTION_CONFIG,
    OPTION_SET,
    {"output", 'o', "DIR", "where `build` puts the generated files (default: out)", false},
    OPTION_HELP,
    OPTIONS_END,
};

static const struct cli_option init_options[] = {
    {"oas", 0, "FILE", "the OpenAPI document, 2.0, 3.0 or 3.1; - = standard input", false},
    {"force", 0, NULL, "replace the files that init writes; others stay", false},
    OPTION_HELP,
    OPTIONS_END,
};

#define OPTION_LOOK                                                                   \
    {                                                                                 \
        "output", 'o', "DIR", "the output directory to look at (default: out)", false \
    }

#define OPTION_SUBSCRIPTIONS                                                         \
    {                                                                                \
        "subscriptions", 0, "FILE",                                                  \
            "subscription files (default: enforcer.subscriptions.path of -c)", false \
    }

static const struct cli_option explain_options[] = {
    {"header", 'H', "HEADER", "a header of the request, 'Name: value'", true},
    {"token", 0, "FILE", "send the token in FILE (-: stdin) where the API looks for one", false},
    {"cert", 0, "FILE", "the client shows the certificate in FILE, PEM or DER", false},
    {"development", 0, NULL, "trust the tokens of `cc-gen token`, as `cc-gen run` does", false},
    {"ip", 0, "ADDRESS", "where the client is (HAProxy sends it on)", false},
    {"at", 0, "TIME", "when: RFC 3339, or seconds since 1970 (default: now)", false},
    {"batch", 0, "FILE", "explain each line of FILE (-: stdin) instead", false},
    {"state", 0, "DIR",
     "the agent's agent.stateDirectory: key sets, revoked tokens, deny rules by command", false},
    {"revoked", 0, "FILE", "the file of revoked tokens (enforcer.security.revocation.path)", false},
    {"agent", 0, "SOCKET",
     "ask the running agent at its agent.adminSocket for its counters and deny rules", false},
    {"introspection", 0, "FILE", "what the introspection server says of an opaque token, JSON",
     false},
    OPTION_SUBSCRIPTIONS,
    OPTION_LOOK,
    OPTION_CONFIG,
    OPTION_SET,
    {"json", 0, NULL, "one JSON object for each request, on a line of its own", false},
    OPTION_HELP,
    OPTIONS_END,
};

static const struct cli_option show_options[] = {
    OPTION_LOOK,
    OPTION_CONFIG,
    OPTION_SET,
    OPTION_SUBSCRIPTIONS,
    {"json", 0, NULL, "one JSON object instead of a table", false},
    OPTION_HELP,
    OPTIONS_END,
};

static const struct cli_option no_options[] = {OPTION_HELP, OPTIONS_END};

static const char build_help[] =
    "Reads the API projects (directories, or zips of them), checks them, renders HAProxy's\n"
    "files and the agent's snapshot into a new generation below DIR, lets `haproxy -c -dW` check\n"
    "it, and only then makes it current:\n"
    "\n"
    "    DIR/haproxy/cc.cfg   add to HAProxy:  haproxy -f your.cfg -f DIR/haproxy/cc.cfg\n"
    "    DIR/gateway.json     give to the agent: cc-spoa -s DIR/gateway.json\n"
    "    DIR/manifest.json    what was built from what, with SHA-256 sums\n"
    "    DIR/generations/     this and the previous generations\n"
    "\n"
    "A build that would change nothing keeps the current generation. When anything is wrong, all\n"
    "findings are shown, nothing is written and the old generation stays.\n";

static const char check_help[] =
    "Reads and checks the projects as `build` does, without writing anything. The findings go to\n"
    "standard output, each with file:line:column and a code: `cc-gen help CODE` explains it.\n"
    "--json is that of `cc-gen lint`.\n";

static const char completion_help[] =
    "Prints a script that makes the shell complete commands, options and their values:\n"
    "\n"
    "    bash   source <(cc-gen completion bash)      in ~/.bashrc\n"
    "    zsh    source <(cc-gen completion zsh)       in ~/.zshrc, after compinit\n"
    "    fish   cc-gen completion fish | source       in ~/.config/fish/config.fish\n"
    "\n"
    "or for everybody: bash into /usr/share/bash-completion/completions/cc-gen, zsh into\n"
    "/usr/share/zsh/vendor-completions/_cc-gen, fish into\n"
    "/usr/share/fish/vendor_completions.d/cc-gen.fish.\n";

static const char plan_help[] =
    "Says what `build` with the same arguments would change, and writes nothing. One line for a\n"
    "change on standard output, with the place it comes from:\n"
    "\n"
    "    + api Orders 2.0.0 /orders on localhost: 3 resources, 5 operations  "
    "(orders/api.y...:3:5)\n"
    "    ~ scope GET /pets/1.0.0/pets on localhost: read:pets -> read:all  (pets/...:18:14)\n"
    "    - resource /pets/1.0.0/toys on localhost: GET (any token)  (pets/...:80:3)\n"
    "    needs reload: yes: 1 new cluster\n"
    "    agent: SIGHUP\n"
    "\n"
    "The last two lines are always there: must HAProxy be reloaded, and why; and what the agent\n"
    "needs. HAProxy's check of its configuration is left to `build`.\n"
    "\n"
    "Exit code: 0 a build would change nothing but, at most, the lines and names of files that\n"
    "messages point to; 2 it would; 1 it would be refused.\n";

static const char rollback_help[] =
    "Makes a generation that is kept the current one, by default the one before the current one,\n"
    "and says on standard output, as `plan` does, what that changes and who has to be told. The\n"
    "generation is looked at first: the sums of its files, its snapshot, and HAProxy's opinion.\n"
    "\n"
    "    cc-gen rollback -o /etc/cc/out        one step back; once more: another one\n"
    "    cc-gen rollback -o /etc/cc/out 7      to generation 7, older or newer\n"
    "    cc-gen rollback -o /etc/cc/out -l     what there is; * marks the current one\n"
    "\n"
    "The next build takes a new number, never one that was used before. It builds what the\n"
    "projects say: take a change back there as well.\n";

static const char doctor_help[] =
    "Looks at this machine as the gateway will find it, changes nothing, and says what is right,\n"
    "what to look at (warn) and what is wrong (fail), with what to do:\n"
    "\n"
    "    programs        HAProxy 2.6 or newer with TLS and SPOE, OpenSSL, cc-spoa of this version\n"
    "    clock, files    set and synchronised; enough file descriptors\n"
    "    output          the directory, its owner, the current generation and all its sums\n"
    "    ports, ready    free or the gateway's; do HAProxy and the agent run what was built?\n"
    "    agent           does it take connections, and may HAProxy's user connect, in its chroot?\n"
    "    certificates    readable, fitting, not expired in 30 days; the issuers' as well\n"
    "\n"
    "As root it sees more: who holds a port, where HAProxy's root is. Give it the -c, -o and "
    "--set\n"
    "of `build`. `cc-gen help CODE` explains what a line is about. Exit code: 1 when something is\n"
    "wrong, else 0.\n";

static const char run_help[] =
    "The gateway for development, with one command: builds into a private temporary directory,\n"
    "starts HAProxy and cc-spoa in the foreground, waits until the gateway is ready and prints\n"
    "where to connect (the URL alone on standard output). Ctrl-C ends both. When one of them ends\n"
    "by itself, the reason is shown, the other is stopped and the exit code is 1.\n"
    "\n"
    "Listens on 127.0.0.1 unless router.listenerHost says otherwise, has a self-signed\n"
    "certificate unless router.keystore is set, and trusts the tokens of `cc-gen token`. /testkey\n"
    "signs such tokens as well, for the password that is shown, unless enforcer.jwtIssuer.enabled\n"
    "is set. Not for production: use `cc-gen build` there.\n";

static const char token_help[] =
    "Prints a signed token for tests, alone on standard output:\n"
    "\n"
    "    curl -H \"Authorization: Bearer $(cc-gen token -s read:pets)\" http://localhost:9090/...\n"
    "\n"
    "The development keys, one for each kind of key, are made on first use in\n"
    "${XDG_STATE_HOME:-~/.local/state}/cc-gen/ and readable by you alone. Each has an issuer of\n"
    "its own, which `cc-gen run` trusts and nothing else does:\n"
    "\n"
    "    RS256 RS384 RS512 PS256 PS384 PS512   https://localhost/cc-gen-dev\n"
    "    ES256                                 https://localhost/cc-gen-dev/p256\n"
    "    ES384                                 https://localhost/cc-gen-dev/p384\n"
    "    ES512                                 https://localhost/cc-gen-dev/p521\n"
    "    EdDSA                                 https://localhost/cc-gen-dev/ed25519\n"
    "\n"
    "With --key FILE the token is signed by that key, and --issuer is needed.\n";

static const char explain_help[] =
    "Decides the request offline, with the engine that the agent runs, and says why: each step "
    "and\n"
    "what it saw, the verdict, where the request would go, and the line of configuration behind "
    "it.\n"
    "It looks at what was built (-o), or at the projects named after the URL; -c, --set\n"
    "and --development are for those.\n"
    "\n"
    "    cc-gen explain GET http://localhost:9090/petstore/1.0.0/pets --token token.jwt\n"
    "    cc-gen explain POST /petstore/1.0.0/pets -H 'Host: localhost' examples/petstore\n"
    "    cc-gen explain GET http://localhost/pets --token old.jwt --at 2026-11-22T21:00:00Z\n"
    "    cc-gen explain GET https://localhost/pets --cert client.pem\n"
    "\n"
    "--batch answers many requests, each a line of METHOD URL and headers, separated by tabs; "
    "empty\n"
    "lines and lines that begin with # are skipped:\n"
    "\n"
    "    GET /pets/7<TAB>Host: localhost<TAB>Authorization: Bearer eyJ...\n"
    "\n"
    "Tokens are never printed; their claims are. The exit code is 0 when all requests are let\n"
    "through (or answered as /health and /ready are) and 1 when one is refused, or cannot be "
    "decided\n"
    "here (verdict ask): a token that is no JWT is known to the introspection server alone.\n"
    "\n"
    "The limits that a request would count in are listed. With --agent SOCKET the running agent "
    "says\n"
    "what each has used, and a request that it would refuse now is: verdict deny, status 429, or "
    "403\n"
    "for a deny rule that it was given by command. It uses nothing. Where gateways count together\n"
    "strictly, that is what Redis has at this moment, or the line says that Redis is away. The\n"
    "exit code is 69 when the agent cannot be asked.\n"
    "\n"
    "    cc-gen explain GET http://localhost/pets -o out --agent /run/cc/admin.sock\n"
    "\n"
    "--json: schema 1. verdict, status (null: the backend's), code, body, challenge, allow,\n"
    "cors_origin, backend, failover, endpoints, path, host, removed_header, api, resource, "
    "operation, user,\n"
    "app, keytype, because, cause (file, line, column, text), steps (step, passed, text, why,\n"
    "origin), agent (generation, content, counting, judged) and limits (level, policy, origin,\n"
    "key, unit, window, mode, max, window_ms, months, burst_max, burst_ms, used, remaining, "
    "others, "
    "reset_ms,\n"
    "retry_ms, known, shared, burst, fits, redis, away); null is unknown.\n";

static const char show_help[] =
    "Shows what is in effect and where it was said, as file:line:column:\n"
    "\n"
    "    cc-gen show apis       the APIs and where they are served\n"
    "    cc-gen show routes     each path, its methods, and the cluster it leads to\n"
    "    cc-gen show auth       each operation: open, closed, any token, or the scopes it needs\n"
    "    cc-gen show interceptors\n"
    "                           which services are asked about which operations\n"
    "    cc-gen show limits     the limits of APIs and operations: their tiers, and what is "
    "counted\n"
    "    cc-gen show policies | deny-rules\n"
    "                           all limits by name: of APIs, subscriptions, applications, and\n"
    "                           custom ones; whom nothing lets in\n"
    "    cc-gen show clusters   the endpoints, their options, and which APIs use them\n"
    "    cc-gen show settings   each setting of cc.yaml, its value, and where that comes from\n"
    "    cc-gen show applications | consumer-keys | subscriptions\n"
    "                           what the subscription files say, by -c or --subscriptions\n"
    "\n"
    "It looks at what was built (-o), or at the projects named after the word. "
    "Settings\n"
    "and subscriptions are not in what was built: they come from -c, the environment and --set.\n"
    "\n"
    "--json: {\"schema\":1,\"show\":\"apis\",\"rows\":[...]}, with the columns as members.\n";

static const char init_help[] =
    "Makes the directory NAME with api.yaml, Definitions/swagger.yaml and the other files and\n"
    "directories of an API project, as `apictl init` does:\n"
    "\n"
    "    cc-gen init pets --oas petstore.yaml\n"
    "    curl -sS https://example.com/openapi.json | cc-gen init pets --oas -\n"
    "\n"
    "Name and version come from info, the context from x-wso2-basePath, basePath or the title,\n"
    "endpoints from x-wso2-production-endpoints and x-wso2-sandbox-endpoints, servers or host.\n"
    "A document in YAML is kept as it is, one in JSON becomes YAML. Without --oas the API sends\n"
    "everything below /NAME to http://localhost:8080. The project is checked at the end: when\n"
    "the document cannot be served as it is, the findings say why and the exit code is 1.\n";

static const char lint_help[] =
    "Says what could be better in API projects: operations without names, undeclared parameters,\n"
    "paths that no request reaches, and more. Each finding has a place, a severity and an id;\n"
    "`cc-gen help CC8001` explains it. The exit code is 1 when there is a finding of at least\n"
    "--fail-severity (default: error), and 65 when `cc-gen check` would refuse the projects.\n"
    "\n"
    "    cc-gen lint projects/*\n"
    "    cc-gen lint --fail-severity warning --ignore CC8008,CC8013 projects/*\n"
    "\n"
    "--json: {\"schema\":1, \"findings\":[{id, severity, file, line, column, message, help}],\n"
    "\"errors\", \"warnings\", \"infos\", \"failed\"}; file, line, column and help may be null.\n";

static const char audit_help[] =
    "Says what is unsafe in API projects, in cc.yaml and in the permissions of the files that the\n"
    "gateway depends on: open operations, plain HTTP, weak token settings, and more. Options, "
    "exit\n"
    "codes and --json are those of `cc-gen lint`; the ids are CC9001 and above.\n"
    "\n"
    "    cc-gen audit -c cc.yaml -o /etc/cc/out projects/*\n"
    "    cc-gen audit -c cc.yaml --fail-severity warning --ignore CC9006 projects/*\n";

static const char help_help[] = "    cc-gen help            the commands\n"
                                "    cc-gen help COMMAND    one of them\n"
                                "    cc-gen help settings   all settings of cc.yaml\n"
                                "    cc-gen help CC2001     what a finding means and what to do\n";

const struct cli_command cli_commands[] = {
    {"build", "[-c FILE] [-o DIR] [options] PROJECT...",
     "build HAProxy configuration and the agent's snapshot from API projects", build_help,
     build_options, 1, SIZE_MAX, cmd_build},
    {"check", "[-c FILE] [options] PROJECT...", "check API projects without writing anything",
     check_help, check_options, 1, SIZE_MAX, cmd_check},
    {"init", "NAME [--oas FILE|-] [--force]",
     "make a new API project, from an OpenAPI document or from nothing", init_help, init_options, 1,
     1, cmd_init},
    {"plan", "[-c FILE] [-o DIR] [options] PROJECT...",
     "show what a build would change, and whether HAProxy needs a reload", plan_help, plan_options,
     1, SIZE_MAX, cmd_plan},
    {"rollback", "[-o DIR] [options] [GENERATION]", "go back to a generation that was built before",
     rollback_help, rollback_options, 0, 1, cmd_rollback},
    {"lint", "[--fail-severity SEVERITY] [options] PROJECT...",
     "say what could be better in API projects", lint_help, lint_options, 1, SIZE_MAX, cmd_lint},
    {"audit", "[-c FILE] [-o DIR] [options] PROJECT...",
     "say what is unsafe in API projects and settings", audit_help, audit_options, 1, SIZE_MAX,
     cmd_audit},
    {"run", "[-c FILE] [options] PROJECT...", "build and run a gateway in the foreground", run_help,
     run_options, 1, SIZE_MAX, cmd_run},
    {"explain",
     "METHOD URL [-H HEADER]... [--token FILE] [--ip ADDRESS] [--at TIME] [-o DIR | PROJECT...]",
     "say what the gateway does with a request, and why", explain_help, explain_options, 0,
     SIZE_MAX, cmd_explain},
    {"show",
     "apis|routes|auth|limits|policies|deny-rules|interceptors|clusters|settings|applications|"
     "consumer-keys|subscriptions "
     "[-o DIR | PROJECT...]",
     "show what is in effect, and where it was said", show_help, show_options, 1, SIZE_MAX,
     cmd_show},
    {"token", "[-s SCOPE]... [options]", "sign a token for tests with a development key",
     token_help, token_options, 0, 0, cmd_token},
    {"doctor", "[-c FILE] [-o DIR] [options]", "look for what keeps a gateway from working here",
     doctor_help, doctor_options, 0, 0, cmd_doctor},
    {"completion", "bash|zsh|fish", "print a script for the shell's completion", completion_help,
     no_options, 1, 1, cmd_completion},
    {"version", "", "show the versions of cc-gen, HAProxy and OpenSSL", "", version_options, 0, 0,
     cmd_version},
    {"help", "[COMMAND | settings | CODE]", "explain a command, the settings or a finding",
     help_help, no_options, 0, 1, cmd_help},
    {NULL, NULL, NULL, NULL, NULL, 0, 0, NULL},
};
