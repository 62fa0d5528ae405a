#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

const char *cc_strerror(int error)
{
    switch (error) {
#define X(name, value, text) \
    case value:              \
        return text;
        CC_ERRORS(X)
#undef X
    default:
        return "unknown error";
    }
}

int cc_from_errno(int errnum)
{
    switch (errnum) {
    case 0:
        return CC_OK;
    case ENOMEM:
        return CC_ENOMEM;
    case EINVAL:
    case EISDIR:
        return CC_EINVAL;
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
        return CC_ENOENT;
    case EEXIST:
        return CC_EEXIST;
    case EACCES:
    case EPERM:
    case EROFS:
        return CC_EACCESS;
    case ENAMETOOLONG:
    case EFBIG:
        return CC_ETOOBIG;
    case ENOSPC:
    case EDQUOT:
        return CC_EFULL;
    case EAGAIN:
        return CC_EAGAIN;
    case EPIPE:
    case ECONNRESET:
        return CC_ECLOSED;
    default:
        return CC_EIO;
    }
}

_Noreturn void cc_assert_failed(const char *cond, const char *file, int line, const char *func)
{
    fprintf(stderr, "%s:%d: %s: broken program: %s does not hold\n", file, line, func, cond);
    abort();
}
