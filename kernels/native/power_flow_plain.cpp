#define RUN_POWER_FLOW power_flow_plain
#define VECTOR_BYTES 16
#include "power_flow.h"
