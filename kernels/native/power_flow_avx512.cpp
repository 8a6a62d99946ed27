#define RUN_POWER_FLOW power_flow_avx512
#define VECTOR_BYTES 64
#include "power_flow.h"
