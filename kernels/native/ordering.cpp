// Orders of elimination for a symmetric pattern: the two rules of ordering.py, which says what they do.
//
// Every rule is a total order of whole numbers, so that the result is that of the Python code to the last node. The
// graph is kept as it is, with all its fill, not as a quotient graph: the work is of the order of the products of the
// factorisation, which the schedule lists one by one anyway.
#include <algorithm>
#include <cstdint>
#include <exception>
#include <functional>
#include <iterator>
#include <queue>
#include <set>
#include <tuple>
#include <vector>

namespace voltherm {
namespace {

using Nodes = std::vector<int32_t>;

// The graph that is left, with the level of every node in the elimination tree so far. A list of neighbours keeps
// nodes that are gone until it is next rewritten, so that a hub loses a leaf in no time.
class Graph {
 public:
  // The neighbours of node k are neighbour[start[k]] .. neighbour[start[k + 1] - 1]. False if that is no list of
  // ascending neighbours, without loops and with every edge in it twice.
  bool read(int64_t size, const int64_t* start, const int32_t* neighbour, int64_t neighbours) {
    if (size < 1 || size > INT32_MAX || start[0] != 0 || start[size] != neighbours) return false;
    for (int64_t node = 0; node < size; ++node)
      if (start[node + 1] < start[node] || start[node + 1] > neighbours) return false;
    adjacent_.resize(size);
    degree_.resize(size);
    level_.assign(size, 0);
    gone_.assign(size, 0);
    mark_.assign(size, 0);
    for (int64_t node = 0; node < size; ++node) {
      Nodes& list = adjacent_[node];
      list.assign(neighbour + start[node], neighbour + start[node + 1]);
      degree_[node] = start[node + 1] - start[node];
      for (size_t at = 0; at < list.size(); ++at)
        if (list[at] < 0 || list[at] >= size || list[at] == node || (at > 0 && list[at] <= list[at - 1])) return false;
    }
    for (int32_t node = 0; node < size; ++node)
      for (const int32_t other : adjacent_[node])
        if (!std::binary_search(adjacent_[other].begin(), adjacent_[other].end(), node)) return false;
    return true;
  }

  int64_t size() const { return static_cast<int64_t>(adjacent_.size()); }
  int64_t degree(int32_t node) const { return degree_[node]; }
  int32_t level(int32_t node) const { return level_[node]; }

  Nodes neighbours(int32_t node) const {
    Nodes found;
    for (const int32_t other : adjacent_[node])
      if (!gone_[other]) found.push_back(other);
    return found;
  }

  // Marks the neighbours of a node, and no other.
  void mark(int32_t node) {
    ++stamp_;
    for (const int32_t other : adjacent_[node])
      if (!gone_[other]) mark_[other] = stamp_;
  }
  bool marked(int32_t node) const { return mark_[node] == stamp_; }

  // Calls what is given with every marked neighbour of a node.
  template <class Function>
  void with_marked(int32_t node, const Function& function) const {
    for (const int32_t other : adjacent_[node])
      if (marked(other)) function(other);
  }

  // Pairs of neighbours that are not neighbours of each other: the fill that eliminating the node would make.
  int64_t deficiency(int32_t node) {
    if (degree(node) < 2) return 0;
    const Nodes around = neighbours(node);
    mark(node);
    int64_t present = 0;
    for (const int32_t one : around) {
      const Nodes& list = adjacent_[one];
      if (list.size() > far_longer * around.size()) {
        for (const int32_t two : around) present += std::binary_search(list.begin(), list.end(), two);
      } else {
        for (const int32_t two : list) present += marked(two);
      }
    }
    return (degree(node) * (degree(node) - 1) - present) / 2;
  }

  // Takes out a node; its neighbours, which are given, are joined to each other unless they are already.
  void eliminate(int32_t node, const Nodes& front, bool joined) {
    gone_[node] = 1;
    Nodes().swap(adjacent_[node]);
    for (const int32_t other : front) {
      --degree_[other];
      level_[other] = std::max(level_[other], level_[node] + 1);
      if (!joined) join(other, front);
    }
  }

 private:
  static constexpr size_t far_longer = 8;

  void join(int32_t node, const Nodes& front) {
    Nodes& list = adjacent_[node];
    if (list.size() > far_longer * front.size()) {
      for (const int32_t other : front) {
        const auto at = std::lower_bound(list.begin(), list.end(), other);
        if (other == node || (at != list.end() && *at == other)) continue;
        list.insert(at, other);
        ++degree_[node];
      }
      return;
    }
    union_.clear();
    std::set_union(list.begin(), list.end(), front.begin(), front.end(), std::back_inserter(union_));
    list.clear();
    for (const int32_t other : union_)
      if (other != node && !gone_[other]) list.push_back(other);
    degree_[node] = static_cast<int64_t>(list.size());
  }

  std::vector<Nodes> adjacent_;
  std::vector<int64_t> degree_, mark_;
  std::vector<char> gone_;
  Nodes level_, union_;
  int64_t stamp_ = 0;
};

// In rounds: an independent set of nodes at most `slack` above the smallest degree.
void smallest_degree(Graph& graph, int64_t slack, int32_t* order, int32_t* front_size) {
  const int64_t size = graph.size();
  std::vector<std::set<int32_t>> by_degree(size);
  for (int32_t node = 0; node < size; ++node) by_degree[graph.degree(node)].insert(node);
  std::vector<int64_t> blocked(size, -1);
  Nodes chosen;
  int64_t smallest = 0;
  for (int64_t done = 0; done < size; smallest = 0) {
    while (by_degree[smallest].empty()) ++smallest;
    const int64_t round = done;
    chosen.clear();
    for (int64_t degree = smallest; degree <= std::min(smallest + slack, size - 1); ++degree)
      for (const int32_t node : by_degree[degree])
        if (blocked[node] != round) {
          chosen.push_back(node);
          for (const int32_t other : graph.neighbours(node)) blocked[other] = round;
        }
    for (const int32_t node : chosen) {
      const Nodes front = graph.neighbours(node);
      by_degree[graph.degree(node)].erase(node);
      for (const int32_t other : front) by_degree[graph.degree(other)].erase(other);
      graph.eliminate(node, front, front.size() < 2);
      for (const int32_t other : front) by_degree[graph.degree(other)].insert(other);
      order[done] = node;
      front_size[done++] = static_cast<int32_t>(front.size());
    }
  }
}

// One by one: earliest stage, then least fill, then lowest level.
void smallest_deficiency(Graph& graph, const int32_t* stage, int32_t* order, int32_t* front_size) {
  using Key = std::tuple<int32_t, int64_t, int32_t, int32_t>;
  const int64_t size = graph.size();
  std::vector<int64_t> deficiency(size);
  std::vector<char> touched(size, 0);
  std::vector<Key> current(size);
  std::priority_queue<Key, std::vector<Key>, std::greater<Key>> queue;
  const auto key = [&](int32_t node) { return Key(stage[node], deficiency[node], graph.level(node), node); };
  for (int32_t node = 0; node < size; ++node) {
    deficiency[node] = graph.deficiency(node);
    queue.push(current[node] = key(node));
  }
  Nodes changed;
  for (int64_t done = 0; done < size;) {
    const Key least = queue.top();
    queue.pop();
    const int32_t node = std::get<3>(least);
    if (least != current[node]) continue;  // an older key of the node
    current[node] = Key(-1, 0, 0, node);
    changed.clear();
    const auto touch = [&](int32_t other) {
      if (!touched[other]) changed.push_back(other);
      touched[other] = 1;
    };
    const Nodes front = graph.neighbours(node);
    const bool fills = deficiency[node] > 0;
    for (const int32_t one : front) touch(one);
    if (fills) {
      // Every new edge is one pair less to fill for whoever is a neighbour of both its ends.
      for (size_t first = 0; first < front.size(); ++first) {
        graph.mark(front[first]);
        for (size_t second = first + 1; second < front.size(); ++second) {
          if (graph.marked(front[second])) continue;
          graph.with_marked(front[second], [&](int32_t other) {
            --deficiency[other];
            touch(other);
          });
        }
      }
    } else {
      // Its neighbours lose the pairs of this node and whatever it is not joined to.
      const int64_t within = static_cast<int64_t>(front.size()) - 1;
      for (const int32_t one : front) deficiency[one] -= graph.degree(one) - 1 - within;
    }
    graph.eliminate(node, front, !fills);
    if (fills)
      for (const int32_t one : front) deficiency[one] = graph.deficiency(one);
    for (const int32_t other : changed) {
      touched[other] = 0;
      const Key now = key(other);
      if (other == node || now == current[other]) continue;
      queue.push(current[other] = now);
    }
    order[done] = node;
    front_size[done++] = static_cast<int32_t>(front.size());
  }
}

}  // namespace
}  // namespace voltherm

#pragma GCC visibility push(default)

// The order of elimination of a graph, and the number of neighbours that each node has when it goes: both (size,).
// With `stage` (size,) the rule of smallest deficiency, without it that of smallest degree with `slack` >= 0.
// Answers 0; 1 if the graph is not one (see Graph::read); 2 if memory runs out.
extern "C" int64_t voltherm_order(int64_t size, const int64_t* start, const int32_t* neighbour, int64_t neighbours,
                                  int64_t slack, const int32_t* stage, int32_t* order, int32_t* front_size) {
  try {
    voltherm::Graph graph;
    if (slack < 0 || !graph.read(size, start, neighbour, neighbours)) return 1;
    if (stage == nullptr)
      voltherm::smallest_degree(graph, slack, order, front_size);
    else
      voltherm::smallest_deficiency(graph, stage, order, front_size);
  } catch (const std::exception&) {  // bad_alloc, length_error
    return 2;
  }
  return 0;
}

#pragma GCC visibility pop
