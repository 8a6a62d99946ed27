// What the fused iterations have in common: what they are given, and how a lane ends.
#pragma once

#include <cstdint>

namespace voltherm {

// Rows of numbers, or one for all rows; those of a lane lie together, and all lanes may share them.
struct Operand {
  const void* data;
  int64_t rows;
  bool shared;
};

// Codes of voltherm.numerics.ResultCode.
enum Result : int32_t {
  converged = 0,
  maximum_iterations = 1,
  not_finite = 2,
  singular = 3,
  no_descent = 6,
  inoperable = 7
};

}  // namespace voltherm
