// The operations on one unit of work: the same source for every instruction set.
//
// A file that includes this defines RUN, the name of the kernel, and VECTOR_BYTES, and is compiled with the flags of
// its instruction set. Everything but RUN has internal linkage and no library function is called, so that the linker
// cannot mix code of two instruction sets.
#if defined(__x86_64__)
#include <immintrin.h>
#endif
#include <type_traits>
#include <utility>

#include "work.h"

namespace voltherm {
namespace {

#include "pack.h"
#include "elimination.h"

INLINE int64_t least(int64_t one, int64_t other) { return one < other ? one : other; }

// The numbers of a unit: those of lanes `lane ..` or of sides `side ..`, `count` of them.
struct Part {
  int64_t lane, side, count;
};

template <int W>
INLINE Part part_of(const Work& work, int64_t unit) {
  if (work.across == Across::sides) {
    const int64_t groups = (work.sides + W - 1) / W, lane = unit / groups, side = unit % groups * W;
    return {lane, side, least(W, work.sides - side)};
  }
  const int64_t groups = (work.lanes + W - 1) / W, lane = unit % groups * W;
  return {lane, unit / groups, least(W, work.lanes - lane)};
}

template <class T, int W, int B>
void factor(const Work& work, int64_t unit, T* scratch) {
  using P = Pack<T, W>;
  const int b = B ? B : static_cast<int>(work.block);
  const int bb = b * b;
  const Part part = part_of<W>(work, unit);
  const int64_t size = work.size, fill = work.fill, lanes = work.lanes, used = size + 2 * fill;
  const int32_t *entry_slot = work.table[0], *front_start = work.table[1], *target = work.table[2];
  const T* values = static_cast<const T*>(work.operand[0]) + part.lane;
  T* result = static_cast<T*>(work.result) + part.lane;
  P* blocks = reinterpret_cast<P*>(scratch);
  P* spare = blocks + used * bb;  // two blocks

  for (int64_t n = 0; n < used * bb; ++n) blocks[n] = P::of(0);
  for (int64_t entry = 0; entry < work.entries; ++entry) {
    P* to = blocks + static_cast<int64_t>(entry_slot[entry]) * bb;
    for (int n = 0; n < bb; ++n) to[n] = to[n] + load_some<T, W>(values + (entry * bb + n) * lanes, 1, part.count);
  }

  const P broken = eliminate<P, B>(blocks, spare, b, size, fill, front_start, target);
  for (int64_t n = 0; n < used * bb; ++n)
    store_some<T, W>(broken.where_nan(blocks[n]), result + n * lanes, 1, part.count);
  for (int n = 0; n < bb; ++n) {
    const P identity = P::of(n % (b + 1) == 0 ? 1 : 0);
    store_some<T, W>(identity, result + (used * bb + n) * lanes, 1, part.count);
    store_some<T, W>(P::of(0), result + ((used + 1) * bb + n) * lanes, 1, part.count);
  }
}

// Numbers of a matrix: those of several lanes, or one lane's repeated over its right-hand sides.
template <class T, int W, bool Full>
struct Matrix {
  const T* first;
  int64_t lanes, count;
  bool shared;

  INLINE Pack<T, W> operator[](int64_t number) const {
    const T* from = first + number * lanes;
    if (shared) return Pack<T, W>::of(*from);
    if (Full) return Pack<T, W>::load(from);
    return load_some<T, W>(from, 1, count);
  }
};

// Copies vectors (size, b, lane, side) of one unit to packs and back, rows in the given order (none: as they are).
template <class T, int W>
void gather(const Work& work, const Part& part, int b, const T* from, const int32_t* order, Pack<T, W>* to) {
  const int64_t stride = work.across == Across::sides ? 1 : work.sides;
  for (int64_t row = 0; row < work.size; ++row) {
    const int64_t node = order ? order[row] : row;
    for (int n = 0; n < b; ++n) {
      const T* first = from + ((node * b + n) * work.lanes + part.lane) * work.sides + part.side;
      to[row * b + n] = load_some<T, W>(first, stride, part.count);
    }
  }
}

template <class T, int W>
void scatter(const Work& work, const Part& part, int b, const Pack<T, W>* from, const int32_t* order, T* to) {
  const int64_t stride = work.across == Across::sides ? 1 : work.sides;
  for (int64_t row = 0; row < work.size; ++row) {
    const int64_t node = order ? order[row] : row;
    for (int n = 0; n < b; ++n) {
      T* first = to + ((node * b + n) * work.lanes + part.lane) * work.sides + part.side;
      store_some<T, W>(from[row * b + n], first, stride, part.count);
    }
  }
}

template <class T, int W, int B, bool Full, bool Shared>
INLINE void sweeps(const Work& work, const Part& part, Pack<T, W>* unknown) {
  using P = Pack<T, W>;
  const int b = B ? B : static_cast<int>(work.block);
  const int bb = b * b;
  const int64_t size = work.size, fill = work.fill;
  const int32_t *front_start = work.table[1], *neighbour = work.table[2];
  const Matrix<T, W, Full> blocks{static_cast<const T*>(work.operand[0]) + part.lane, work.lanes, part.count, Shared};
  // Aᵀ = (I + Uᵀ) Dᵀ (I + Lᵀ): the mirrored blocks change places.
  const int64_t lower = work.transpose ? size + fill : size, upper = work.transpose ? size : size + fill;
  const int down = work.transpose ? 1 : b, across = work.transpose ? b : 1;

  P current[B ? B : 1];
  for (int64_t pivot = 0; pivot < size; ++pivot) {
    P* own = unknown + pivot * b;
    const P* from = own;
    if (B) {
      for (int n = 0; n < b; ++n) current[n] = own[n];
      from = current;
    }
    for (int64_t off = front_start[pivot]; off < front_start[pivot + 1]; ++off) {
      P* to = unknown + static_cast<int64_t>(neighbour[off]) * b;
      const int64_t first = (lower + off) * bb;
      for (int row = 0; row < b; ++row) {
        P sum = to[row];
        for (int n = 0; n < b; ++n) sum = sum - blocks[first + row * down + n * across] * from[n];
        to[row] = sum;
      }
    }
  }
  P* spare = unknown + size * b;  // one vector
  for (int64_t pivot = size - 1; pivot >= 0; --pivot) {
    P* own = unknown + pivot * b;
    P* const to = B ? current : spare;
    for (int row = 0; row < b; ++row) {
      const int64_t first = pivot * bb + row * down;
      P sum = blocks[first] * own[0];
      for (int n = 1; n < b; ++n) sum = sum + blocks[first + n * across] * own[n];
      to[row] = sum;
    }
    for (int64_t off = front_start[pivot]; off < front_start[pivot + 1]; ++off) {
      const P* from = unknown + static_cast<int64_t>(neighbour[off]) * b;
      const int64_t first = (upper + off) * bb;
      for (int row = 0; row < b; ++row) {
        P sum = to[row];
        for (int n = 0; n < b; ++n) sum = sum - blocks[first + row * down + n * across] * from[n];
        to[row] = sum;
      }
    }
    for (int n = 0; n < b; ++n) own[n] = to[n];
  }
}

template <class T, int W, int B, bool Full, bool Shared>
INLINE void products(const Work& work, const Part& part, const Pack<T, W>* vector, Pack<T, W>* sums) {
  using P = Pack<T, W>;
  const int b = B ? B : static_cast<int>(work.block);
  const int32_t *rows = work.table[work.transpose ? 1 : 0], *columns = work.table[work.transpose ? 0 : 1];
  const Matrix<T, W, Full> values{static_cast<const T*>(work.operand[0]) + part.lane, work.lanes, part.count, Shared};
  const int down = work.transpose ? 1 : b, across = work.transpose ? b : 1;
  for (int64_t n = 0; n < work.size * b; ++n) sums[n] = P::of(0);
  for (int64_t entry = 0; entry < work.entries; ++entry) {
    P* to = sums + static_cast<int64_t>(rows[entry]) * b;
    const P* from = vector + static_cast<int64_t>(columns[entry]) * b;
    for (int row = 0; row < b; ++row) {
      P sum = to[row];
      for (int n = 0; n < b; ++n) sum = sum + values[entry * b * b + row * down + n * across] * from[n];
      to[row] = sum;
    }
  }
}

template <class T, int W, int B>
void substitute(const Work& work, int64_t unit, T* scratch) {
  const int b = B ? B : static_cast<int>(work.block);
  const Part part = part_of<W>(work, unit);
  auto* unknown = reinterpret_cast<Pack<T, W>*>(scratch);
  gather<T, W>(work, part, b, static_cast<const T*>(work.operand[1]), work.table[0], unknown);
  if (W > 1 && work.across == Across::sides) {
    sweeps<T, W, B, true, true>(work, part, unknown);
  } else if (part.count == W) {
    sweeps<T, W, B, true, false>(work, part, unknown);
  } else {
    sweeps<T, W, B, false, false>(work, part, unknown);
  }
  scatter<T, W>(work, part, b, unknown, work.table[0], static_cast<T*>(work.result));
}

template <class T, int W, int B>
void multiply(const Work& work, int64_t unit, T* scratch) {
  const int b = B ? B : static_cast<int>(work.block);
  const Part part = part_of<W>(work, unit);
  auto* vector = reinterpret_cast<Pack<T, W>*>(scratch);
  auto* sums = vector + work.size * b;
  gather<T, W>(work, part, b, static_cast<const T*>(work.operand[1]), nullptr, vector);
  if (W > 1 && work.across == Across::sides) {
    products<T, W, B, true, true>(work, part, vector, sums);
  } else if (part.count == W) {
    products<T, W, B, true, false>(work, part, vector, sums);
  } else {
    products<T, W, B, false, false>(work, part, vector, sums);
  }
  scatter<T, W>(work, part, b, sums, nullptr, static_cast<T*>(work.result));
}

// left rightᵀ on the pattern. Over lanes each unit takes one group of lanes and sums its sides; over sides one lane.
template <class T, int W, int B>
void outer(const Work& work, int64_t unit, T* scratch) {
  using P = Pack<T, W>;
  const int b = B ? B : static_cast<int>(work.block);
  const int32_t *rows = work.table[0], *columns = work.table[1];
  const T *lefts = static_cast<const T*>(work.operand[0]), *rights = static_cast<const T*>(work.operand[1]);
  T* result = static_cast<T*>(work.result);
  const int64_t lanes = work.lanes, sides = work.sides;
  if (work.across == Across::sides) {
    for (int64_t entry = 0; entry < work.entries; ++entry)
      for (int row = 0; row < b; ++row)
        for (int column = 0; column < b; ++column) {
          const T* left = lefts + ((static_cast<int64_t>(rows[entry]) * b + row) * lanes + unit) * sides;
          const T* right = rights + ((static_cast<int64_t>(columns[entry]) * b + column) * lanes + unit) * sides;
          P sums = P::of(0);
          for (int64_t side = 0; side < sides; side += W) {
            const int64_t count = least(W, sides - side);
            sums = sums + load_some<T, W>(left + side, 1, count) * load_some<T, W>(right + side, 1, count);
          }
          alignas(64) T numbers[W];
          sums.store(numbers);
          T sum = numbers[0];
          for (int n = 1; n < W; ++n) sum += numbers[n];
          result[((entry * b + row) * b + column) * lanes + unit] = sum;
        }
    return;
  }
  const Part part = part_of<W>(work, unit);
  auto* left = reinterpret_cast<P*>(scratch);
  auto* right = left + work.size * b;
  gather<T, W>(work, part, b, lefts, nullptr, left);
  gather<T, W>(work, part, b, rights, nullptr, right);
  for (int64_t entry = 0; entry < work.entries; ++entry)
    for (int row = 0; row < b; ++row)
      for (int column = 0; column < b; ++column) {
        const P product = left[static_cast<int64_t>(rows[entry]) * b + row] *
                          right[static_cast<int64_t>(columns[entry]) * b + column];
        T* to = result + ((entry * b + row) * b + column) * lanes + part.lane;
        store_some<T, W>(product, to, 1, part.count);
      }
}

#include "error.h"

template <class T, int W, int B>
void run_block(const Work& work, int64_t unit, T* scratch) {
  switch (work.operation) {
    case Operation::factor: return factor<T, W, B>(work, unit, scratch);
    case Operation::substitute: return substitute<T, W, B>(work, unit, scratch);
    case Operation::multiply: return multiply<T, W, B>(work, unit, scratch);
    case Operation::outer: return outer<T, W, B>(work, unit, scratch);
    case Operation::backward_error: return backward_error<T, W, B>(work, unit, scratch);
  }
}

template <class T, int W>
void run_width(const Work& work, int64_t unit, T* scratch) {
  switch (work.block) {
    case 1: return run_block<T, W, 1>(work, unit, scratch);
    case 2: return run_block<T, W, 2>(work, unit, scratch);
    case 3: return run_block<T, W, 3>(work, unit, scratch);
    case 6: return run_block<T, W, 6>(work, unit, scratch);
    default: return run_block<T, W, 0>(work, unit, scratch);
  }
}

template <class T>
void run_type(const Work& work, int64_t unit, void* scratch) {
  if (work.across == Across::nothing) return run_width<T, 1>(work, unit, static_cast<T*>(scratch));
  return run_width<T, static_cast<int>(group_bytes / sizeof(T))>(work, unit, static_cast<T*>(scratch));
}

}  // namespace

void RUN(const Work& work, int64_t unit, void* scratch) {
  return work.single ? run_type<float>(work, unit, scratch) : run_type<double>(work, unit, scratch);
}

}  // namespace voltherm
