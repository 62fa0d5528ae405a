/* base: what every module stands on. No I/O loop, no global state but the log's settings.
 *
 *   slice   text as pointer + length          arena   memory given back at once
 *   buf     bounded growable text             error   the error enum, CC_ASSERT
 *   diag    findings with file:line:column    log     levelled log, masked secrets
 *   clock   clocks that tests replace         hash    keyed hash for tables
 *   file    whole-file read, atomic write      utf8    valid characters                  */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/slice.h"
#include "base/utf8.h"
