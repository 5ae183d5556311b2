#ifndef HUIJIN_STDLIB_H
#define HUIJIN_STDLIB_H

#include <stddef.h>

void *malloc(size_t bytes);
void free(void *room);
_Noreturn void abort(void);

#endif
