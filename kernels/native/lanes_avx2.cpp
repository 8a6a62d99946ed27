#define RUN run_avx2
#define VECTOR_BYTES 32
#include "lanes.h"
