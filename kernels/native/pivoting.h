// A sparse solve with partial pivoting, of one lane: slow and careful, for what elimination in a fixed order cannot do.
//
//     P A Q = L U        columns in the given order Q, in each the row with the largest entry as pivot
//
// Left-looking: column j of A is solved with the columns of L so far, whose reach a depth-first search finds.
// Gilbert and Peierls (1988), SIAM J. Sci. Stat. Comput. 9, 862.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace voltherm {

// A matrix by columns; rows within a column in any order, none twice.
template <class T>
struct Columns {
  std::vector<int64_t> start;  // (size + 1,)
  std::vector<int64_t> row;
  std::vector<T> value;
};

template <class T>
class PivotedFactors {
 public:
  // False where the matrix is singular to round-off: nothing is left of a column. Rows should be of one size.
  bool factor(const Columns<T>& matrix, const std::vector<int64_t>& order) {
    const auto size = static_cast<int64_t>(order.size());
    order_ = order;
    pivot_of_row_.assign(size, -1);
    row_of_pivot_.assign(size, -1);
    lower_.start.assign(1, 0), upper_.start.assign(1, 0);
    lower_.row.clear(), lower_.value.clear(), upper_.row.clear(), upper_.value.clear();
    diagonal_.assign(size, T(0));
    std::vector<T> column(size, T(0));
    std::vector<int64_t> seen(size, -1), reach, stack, place;
    for (int64_t j = 0; j < size; ++j) {
      reach.clear();
      for (int64_t n = matrix.start[order[j]]; n < matrix.start[order[j] + 1]; ++n) {
        visit(matrix.row[n], j, seen, reach, stack, place);
        column[matrix.row[n]] = matrix.value[n];
      }
      T largest = 0, given = 0;
      int64_t chosen = -1;
      for (int64_t n = matrix.start[order[j]]; n < matrix.start[order[j] + 1]; ++n)
        given = std::max(given, std::abs(matrix.value[n]));
      // The search lists a row after all rows that depend on it.
      for (auto found = reach.rbegin(); found != reach.rend(); ++found) {
        const int64_t row = *found, k = pivot_of_row_[row];
        const T number = column[row];
        if (k < 0) {
          const T size_of = std::abs(number);
          if (!std::isfinite(number)) return false;
          if (size_of > largest) largest = size_of, chosen = row;
          continue;
        }
        for (int64_t n = lower_.start[k]; n < lower_.start[k + 1]; ++n) column[lower_.row[n]] -= lower_.value[n] * number;
      }
      if (chosen < 0 || largest <= given * round_off) return false;
      pivot_of_row_[chosen] = j;
      row_of_pivot_[j] = chosen;
      diagonal_[j] = column[chosen];
      for (const int64_t row : reach) {
        const int64_t k = pivot_of_row_[row];
        if (k < 0) {
          lower_.row.push_back(row), lower_.value.push_back(column[row] / diagonal_[j]);
        } else if (k < j) {
          upper_.row.push_back(k), upper_.value.push_back(column[row]);
        }
        column[row] = T(0);
      }
      lower_.start.push_back(static_cast<int64_t>(lower_.row.size()));
      upper_.start.push_back(static_cast<int64_t>(upper_.row.size()));
    }
    return true;
  }

  // Of the determinant: signs of the pivots, and of the exchanges of rows and columns.
  int sign() const {
    bool odd = is_odd(row_of_pivot_) != is_odd(order_);
    for (const T number : diagonal_) odd = odd != (number < T(0));
    return odd ? -1 : 1;
  }

  // Overwrites the right-hand side with the solution.
  void solve(std::vector<T>& side) const {
    const auto size = static_cast<int64_t>(order_.size());
    std::vector<T> unknown(size);
    for (int64_t k = 0; k < size; ++k) {
      const T number = side[row_of_pivot_[k]];
      unknown[k] = number;
      for (int64_t n = lower_.start[k]; n < lower_.start[k + 1]; ++n) side[lower_.row[n]] -= lower_.value[n] * number;
    }
    for (int64_t k = size - 1; k >= 0; --k) {
      unknown[k] /= diagonal_[k];
      for (int64_t n = upper_.start[k]; n < upper_.start[k + 1]; ++n) unknown[upper_.row[n]] -= upper_.value[n] * unknown[k];
    }
    for (int64_t k = 0; k < size; ++k) side[order_[k]] = unknown[k];
  }

 private:
  static constexpr T round_off = 16 * std::numeric_limits<T>::epsilon();

  // Whether it takes an odd number of exchanges to sort the numbers 0 .. n - 1.
  static bool is_odd(std::vector<int64_t> numbers) {
    bool odd = false;
    for (int64_t at = 0; at < static_cast<int64_t>(numbers.size()); ++at)
      for (; numbers[at] != at; odd = !odd) std::swap(numbers[at], numbers[numbers[at]]);
    return odd;
  }

  // Depth-first from a row through the columns of L that its pivots stand for.
  void visit(int64_t first, int64_t mark, std::vector<int64_t>& seen, std::vector<int64_t>& reach,
             std::vector<int64_t>& stack, std::vector<int64_t>& place) const {
    if (seen[first] == mark) return;
    seen[first] = mark;
    stack.assign(1, first), place.assign(1, 0);
    while (!stack.empty()) {
      const int64_t row = stack.back(), k = pivot_of_row_[row];
      const int64_t length = k < 0 ? 0 : lower_.start[k + 1] - lower_.start[k];
      int64_t& next = place.back();
      while (next < length && seen[lower_.row[lower_.start[k] + next]] == mark) ++next;
      if (next < length) {
        const int64_t child = lower_.row[lower_.start[k] + next++];
        seen[child] = mark;
        stack.push_back(child), place.push_back(0);
      } else {
        reach.push_back(row);
        stack.pop_back(), place.pop_back();
      }
    }
  }

  std::vector<int64_t> order_, pivot_of_row_, row_of_pivot_;
  Columns<T> lower_, upper_;  // L by rows of the matrix, without its ones; U by pivots, without its diagonal
  std::vector<T> diagonal_;
};

}  // namespace voltherm
