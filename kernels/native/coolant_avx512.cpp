#define RUN run_coolant_avx512
#define EVALUATE evaluate_avx512
#define VECTOR_BYTES 64
#include "coolant.h"
