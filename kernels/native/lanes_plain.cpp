#define RUN run_plain
#define VECTOR_BYTES 16
#include "lanes.h"
