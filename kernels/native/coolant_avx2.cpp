#define RUN run_coolant_avx2
#define EVALUATE evaluate_avx2
#define VECTOR_BYTES 32
#include "coolant.h"
