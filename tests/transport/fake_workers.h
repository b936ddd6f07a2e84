// Worker processes without processes: a WorkerPort that runs functions in memory, on a thread of its own.
//
// Functions: "echo" returns its arguments; "blob" returns as many bytes as its arguments, a number in text, say; "fail"
// fails; "print" writes its arguments to stdout and returns nothing; "flood" writes so many bytes; "hold" ends when the
// test says so; "crash" costs its worker; "report" says thrice how far it is.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/core.h"
#include "engine/gate.h"

namespace poold::transport {

class FakeWorkers final : public core::WorkerPort {
 public:
  ~FakeWorkers() override;
  void Start(engine::Gate* gate);
  void Stop();
  // Ends every "hold" that runs or will run.
  void LetGo();
  // Pools of modules with this name cannot start, and say this.
  void BreakModule(const std::string& module, const std::string& words);

  void StartZygote(core::PoolId pool, std::uint32_t generation, const core::PoolSpec& spec) override;
  void StopZygote(core::PoolId pool, std::uint32_t generation) override;
  void StartWorker(core::PoolId pool, std::uint32_t generation, core::WorkerId worker) override;
  void Dispatch(core::WorkerId worker, std::vector<core::Assignment> work) override;
  std::uint32_t TakeBack(core::WorkerId worker, core::AttemptToken token, std::uint32_t keep) override;
  void StopWorker(core::WorkerId worker) override;
  void KillWorker(core::WorkerId worker, core::Nanos grace) override;

 private:
  struct Worker {
    std::deque<core::Assignment> queue;
    bool stopping = false;
    bool held = false;  // its first assignment is a "hold"
  };
  using Event = std::function<void(core::Core&, core::Nanos)>;

  void Run();
  void Post(Event event);
  // One assignment of one worker that can run; false if there is none. With the lock.
  bool RunOne(Event* event);
  Event RunTask(core::WorkerId worker, const core::Assignment& task);
  Event RunChunk(core::WorkerId worker, const core::Assignment& chunk);
  Event Lose(core::WorkerId worker, bool crashed);

  engine::Gate* gate_ = nullptr;
  std::mutex mu_;
  std::condition_variable changed_;
  std::deque<Event> events_;
  std::map<core::WorkerId, Worker> workers_;
  std::map<std::string, std::string> broken_;
  bool let_go_ = false;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace poold::transport
