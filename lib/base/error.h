/* One error enum for both programs: 0 is success, errors are negative.
 *
 * A function that can fail returns `int` holding one of these (or CC_OK), and puts its result
 * through a pointer. `bool` is for questions, not for failures. What a *person* must fix goes to
 * a struct diag (diag.h) besides: the value says that it failed, the diagnostic says where and why. */
#pragma once

#define CC_ERRORS(X)                                                                        \
    X(CC_OK, 0, "success")                                                                  \
    X(CC_ENOMEM, -1, "out of memory")                                                       \
    X(CC_EINVAL, -2, "invalid argument")                                                    \
    X(CC_EPARSE, -3, "malformed input")                                                     \
    X(CC_ERANGE, -4, "number out of range")                                                 \
    X(CC_ETOOBIG, -5, "larger than the limit")                                              \
    X(CC_EFULL, -6, "no room left: disk, buffer or table full")                             \
    X(CC_ENOENT, -7, "no such file or entry")                                               \
    X(CC_EEXIST, -8, "exists already")                                                      \
    X(CC_EACCESS, -9, "permission denied")                                                  \
    X(CC_EIO, -10, "input/output error")                                                    \
    X(CC_EVERSION, -11, "unsupported version")                                              \
    X(CC_EUNSUPPORTED, -12, "not supported")                                                \
    X(CC_EREFUSED, -13, "refused")                                                          \
    X(CC_EBADSIG, -14, "signature does not match")                                          \
    X(CC_EWEAK, -15, "key too weak")                                                        \
    X(CC_EAGAIN, -16, "try again")                                                          \
    X(CC_ECLOSED, -17, "closed by the peer")                                                \
    X(CC_ECHILD, -18, "a child process failed")

enum cc_error {
#define X(name, value, text) name = value,
    CC_ERRORS(X)
#undef X
};

/* English text for a value above; never NULL. */
const char *cc_strerror(int error);

/* The nearest value for an errno; CC_EIO for what has no better name. */
int cc_from_errno(int errnum);

/* A broken *program* (not input) stops here, in release builds too: prints file, line and the
 * condition, then aborts. Conditions must have no side effects. */
#define CC_ASSERT(cond)                                                                     \
    ((cond) ? (void)0 : cc_assert_failed(#cond, __FILE__, __LINE__, __func__))

_Noreturn void cc_assert_failed(const char *cond, const char *file, int line, const char *func);
