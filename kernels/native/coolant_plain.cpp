#define RUN run_coolant_plain
#define EVALUATE evaluate_plain
#define VECTOR_BYTES 16
#include "coolant.h"
