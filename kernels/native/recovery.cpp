// Lanes that elimination in a fixed order could not solve: rows scaled, then sparse LU with partial pivoting.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <exception>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "host.h"
#include "pivoting.h"
#include "recovery.h"

namespace voltherm {
namespace {

// Right-hand sides since the process began: solved by pivoting, and given up as singular.
std::atomic<int64_t> solved{0}, singular{0};

// One lane's matrix by columns, duplicates summed and every row divided by its largest number.
template <class T>
struct Lane {
  Columns<T> matrix;
  std::vector<T> scale;  // of the rows
  bool finite = true;
};

template <class T>
using ByColumn = std::vector<std::map<int64_t, T>>;

template <class T>
Lane<T> scaled(const ByColumn<T>& by_column) {
  Lane<T> lane;
  lane.scale.assign(by_column.size(), T(0));
  for (const auto& column : by_column)
    for (const auto& [row, number] : column) {
      lane.finite = lane.finite && std::isfinite(number);
      lane.scale[row] = std::max(lane.scale[row], std::abs(number));
    }
  for (T& scale : lane.scale) scale = scale > 0 ? 1 / scale : 1;
  lane.matrix.start.push_back(0);
  for (const auto& column : by_column) {
    for (const auto& [row, number] : column)
      if (number != 0) lane.matrix.row.push_back(row), lane.matrix.value.push_back(number * lane.scale[row]);
    lane.matrix.start.push_back(static_cast<int64_t>(lane.matrix.row.size()));
  }
  return lane;
}

template <class T>
Lane<T> lane_of(const T* values, Table rows, Table columns, int64_t size, int64_t block, int64_t lanes, bool transpose) {
  ByColumn<T> by_column(size * block);
  for (int64_t entry = 0; entry < static_cast<int64_t>(rows.element_count()); ++entry)
    for (int64_t r = 0; r < block; ++r)
      for (int64_t c = 0; c < block; ++c) {
        int64_t row = rows.typed_data()[entry] * block + r, column = columns.typed_data()[entry] * block + c;
        if (transpose) std::swap(row, column);
        by_column[column][row] += values[((entry * block + r) * block + c) * lanes];
      }
  return scaled(by_column);
}

template <class T>
int solve_one(const Entries<T>& entries, T* side) {
  try {
    const auto finite = [](T number) { return std::isfinite(number); };
    if (!std::all_of(entries.value, entries.value + entries.count, finite) || !std::all_of(side, side + entries.size, finite))
      return 0;
    ByColumn<T> by_column(entries.size);
    for (int64_t n = 0; n < entries.count; ++n) by_column[entries.column[n]][entries.row[n]] += entries.value[n];
    const Lane<T> lane = scaled(by_column);
    std::vector<T> numbers(side, side + entries.size);
    std::vector<int64_t> sequence(entries.size);
    std::iota(sequence.begin(), sequence.end(), 0);
    PivotedFactors<T> factors;
    const bool regular = factors.factor(lane.matrix, sequence);
    ++(regular ? solved : singular);
    if (!regular) return 0;
    for (int64_t row = 0; row < entries.size; ++row) numbers[row] *= lane.scale[row];
    factors.solve(numbers);
    std::copy(numbers.begin(), numbers.end(), side);
    return factors.sign();
  } catch (const std::exception&) {  // no memory left
    return 0;
  }
}

template <class T>
void recover(ffi::AnyBuffer values, ffi::AnyBuffer sides, ffi::AnyBuffer before, const bool* settled, Table rows,
             Table columns, Table order, ffi::AnyBuffer& solution, bool transpose) {
  const auto shape = sides.dimensions();
  const int64_t size = shape[0], block = shape[1], lanes = shape[2], count = shape[3];
  const T *side = static_cast<const T*>(sides.untyped_data()), *old = static_cast<const T*>(before.untyped_data());
  T* result = static_cast<T*>(solution.untyped_data());
  for (int64_t n = 0; n < size * block * lanes * count; ++n) result[n] = old[n];
  std::vector<int64_t> sequence;
  for (int64_t node = 0; node < size; ++node)
    for (int64_t n = 0; n < block; ++n) sequence.push_back(order.typed_data()[node] * block + n);
  for (int64_t lane = 0; lane < lanes; ++lane) {
    bool wanted = false;
    for (int64_t n = 0; n < count; ++n) wanted = wanted || !settled[lane * count + n];
    if (!wanted) continue;
    const Lane<T> own = lane_of<T>(static_cast<const T*>(values.untyped_data()) + lane, rows, columns, size, block,
                                   lanes, transpose);
    PivotedFactors<T> factors;
    const bool regular = own.finite && factors.factor(own.matrix, sequence);
    for (int64_t n = 0; n < count; ++n) {
      if (settled[lane * count + n]) continue;
      std::vector<T> numbers(size * block, std::numeric_limits<T>::quiet_NaN());
      if (regular) {
        for (int64_t row = 0; row < size * block; ++row)
          numbers[row] = side[(row * lanes + lane) * count + n] * own.scale[row];
        factors.solve(numbers);
      }
      ++(regular ? solved : singular);
      for (int64_t row = 0; row < size * block; ++row) result[(row * lanes + lane) * count + n] = numbers[row];
    }
  }
}

ffi::Error pivoted(ffi::AnyBuffer values, ffi::AnyBuffer sides, ffi::AnyBuffer before, ffi::Buffer<ffi::PRED> settled,
                   Table rows, Table columns, Table order, ffi::Result<ffi::AnyBuffer> solution, int64_t transpose) {
  const auto shape = sides.dimensions(), given = values.dimensions();
  const bool fits = shape.size() == 4 && given.size() == 4 && given[3] == shape[2] && given[1] == shape[1] &&
                    given[2] == shape[1] && given[0] == static_cast<int64_t>(rows.element_count()) &&
                    columns.element_count() == rows.element_count() &&
                    static_cast<int64_t>(order.element_count()) == shape[0] &&
                    before.element_count() == sides.element_count() &&
                    solution->element_count() == sides.element_count() &&
                    static_cast<int64_t>(settled.element_count()) == shape[2] * shape[3] &&
                    values.element_type() == sides.element_type() && before.element_type() == sides.element_type() &&
                    solution->element_type() == sides.element_type();
  if (!fits || (sides.element_type() != ffi::F64 && sides.element_type() != ffi::F32))
    return ffi::Error::InvalidArgument("voltherm_kernels: operands of pivoted do not fit together");
  const auto run = sides.element_type() == ffi::F64 ? recover<double> : recover<float>;
  run(values, sides, before, settled.typed_data(), rows, columns, order, *solution, transpose != 0);
  return ffi::Error::Success();
}

}  // namespace

int solve_by_pivoting(const Entries<double>& entries, double* side) { return solve_one(entries, side); }
int solve_by_pivoting(const Entries<float>& entries, float* side) { return solve_one(entries, side); }

}  // namespace voltherm

#pragma GCC visibility push(default)

namespace ffi = xla::ffi;

XLA_FFI_DEFINE_HANDLER_SYMBOL(voltherm_pivoted, voltherm::Guarded<voltherm::pivoted>::call,
                              ffi::Ffi::Bind()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::Buffer<ffi::PRED>>()
                                  .Arg<voltherm::Table>()
                                  .Arg<voltherm::Table>()
                                  .Arg<voltherm::Table>()
                                  .Ret<ffi::AnyBuffer>()
                                  .Attr<int64_t>("transpose"));

// Right-hand sides solved by pivoting since the process began, and those given up as singular.
extern "C" int64_t voltherm_pivoted_count() { return voltherm::solved; }
extern "C" int64_t voltherm_singular_count() { return voltherm::singular; }

#pragma GCC visibility pop
