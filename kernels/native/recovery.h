// What the kernels ask of recovery.cpp, which is compiled for every processor.
#pragma once

#include <cstdint>

namespace voltherm {

// The matrix of one lane; numbers of the same place are summed.
template <class T>
struct Entries {
  int64_t size, count;
  T* value;
  int32_t *row, *column;
};

// Overwrites the right-hand side with the solution, by sparse LU with pivoting, and counts what became of it. The sign of
// the determinant, 1 or -1; 0 where the matrix is singular, where there was not a number in every place, or where there is
// no memory.
int solve_by_pivoting(const Entries<double>& entries, double* side);
int solve_by_pivoting(const Entries<float>& entries, float* side);

}  // namespace voltherm
