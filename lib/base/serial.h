/* Numbers that are given once in the life of the process.
 *
 * What is remembered of a shared thing names it by such a number: its address may become that of
 * another one. Any thread. */
#pragma once

#include <stdint.h>

/* From 1 on. */
uint64_t serial_next(void);
