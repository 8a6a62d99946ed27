#define RUN_POWER_FLOW power_flow_avx2
#define VECTOR_BYTES 32
#include "power_flow.h"
