#ifndef HUIJIN_SODIUM_SHIM_H
#define HUIJIN_SODIUM_SHIM_H

#include <sodium.h>

#endif
