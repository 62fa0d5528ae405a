/* The command line of cc-spoa: X(name, letter, value or NULL, help). Parser, --help and manual page
 * come from it. */
#pragma once

#define SPOA_OPTIONS(X)                                                                   \
    X(config, 'c', "FILE", "settings; without it the defaults and the environment count") \
    X(snapshot, 's', "FILE", "what to enforce, from cc-gen build [out/gateway.json]")     \
    X(set, 'S', "NAME=VALUE", "one setting, above all others; may be repeated")           \
    X(test, 't', NULL, "load everything, say ok or what is wrong, and end")               \
    X(debug, 'd', NULL, "log in detail and allow core dumps, which may hold tokens")      \
    X(version, 'V', NULL, "print the version and end")                                    \
    X(help, 'h', NULL, "print this and end")

/* X(exit code, meaning) */
#define SPOA_EXITS(X)                     \
    X(0, "ended as asked, or -t is ok")   \
    X(64, "the command line is wrong")    \
    X(65, "bad settings or snapshot")     \
    X(69, "another agent listens")        \
    X(71, "system error")                 \
    X(73, "the socket cannot be created")

/* X(signal, meaning) */
#define SPOA_SIGNALS(X)                                                                \
    X("HUP", "reads the snapshot again; keeps the old one and logs why when it is bad") \
    X("TERM, INT", "drains and ends; the second time: at once")                         \
    X("USR1", "logs the counters")
