#define RUN run_avx512
#define VECTOR_BYTES 64
#include "lanes.h"
