// What a worker does: opens the exhibits, loads the plugins, and works off units. Used by the worker process
// (worker_process.hpp) and, with --jobs 0, by the coordinator itself. One thread; knows nothing of the case
// database.
#pragma once

#include <functional>
#include <memory>

#include "plugin/session.hpp"
#include "protocol.pb.h"

namespace touchstone {

class Worker {
 public:
  /// `watch` outlives the worker; `before_units` is called once when all is loaded (the sandbox closes there)
  /// and its text goes into the answer.
  Worker(Watch& watch, std::function<std::string(const wire::Config&)> before_units);
  ~Worker();

  wire::Ready configure(const wire::Config& config);
  /// Calls `emit` once or more, the last with `final`; it may take what is in it. Whatever evidence does ends
  /// as a state and a problem.
  void run(const wire::Unit& unit, const std::function<void(wire::Result&)>& emit);

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace touchstone
