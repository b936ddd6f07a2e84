// What became of each attempt of a task.
//
// The attempt that runs, or with which the task ended, is told by the task itself; those before it are noted aside, so
// that a task that succeeds at once pays nothing for its history.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/state.h"

namespace poold::core {
namespace {

constexpr std::size_t kMostAttempts = 16;
constexpr std::size_t kMostReason = 240;

std::string OneLine(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  if (text.size() <= kMostReason) return std::string(text);
  std::size_t end = kMostReason;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // between two characters
  return std::string(text.substr(0, end)) + "...";
}

std::string_view Blamed(KilledBy killed_by) {
  switch (killed_by) {
    case KilledBy::kTimeLimit:
      return "because its time was over";
    case KilledBy::kCancel:
      return "because it was cancelled";
    case KilledBy::kTerminate:
      return "because its pool was terminated";
    case KilledBy::kOutsider:
      return "sent by somebody else";
    case KilledBy::kMemoryLimit:
      return "because it went above the pool's memory limit";
    case KilledBy::kKernel:
      return "by the kernel: out of memory, or a resource limit";
    default:
      return "by a fault of its own";
  }
}

}  // namespace

std::string Core::State::ReasonOf(const Failure* failure, const DeathCertificate* death) {
  if (death != nullptr) {
    if (death->signal == 0) return absl::StrCat("its worker exited with code ", death->exit_code);
    const std::string_view blamed = Blamed(death->killed_by);
    return absl::StrCat("its worker ended with signal ", death->signal, ", ",
                        absl::string_view(blamed.data(), blamed.size()));
  }
  if (failure == nullptr) return "";
  return OneLine(failure->message.empty() ? failure->type : failure->type + ": " + failure->message);
}

// REQUIRES: `task` was sent, and is in no list.
void Core::State::NoteAttempt(Task& task, TaskState state, Nanos started_at, std::string reason) {
  const WorkerMark::Facts* facts = task.ran_on.get();
  if (facts == nullptr) return;
  std::vector<AttemptView>& attempts = Extras(task).attempts;
  if (attempts.size() >= kMostAttempts) attempts.erase(attempts.begin());
  attempts.push_back(
      {task.attempt, facts->id, facts->pid, facts->generation, started_at, now, state, std::move(reason)});
  task.ran_on = {};
}

std::vector<AttemptView> Core::State::AttemptsOf(const Task& task) const {
  std::vector<AttemptView> attempts;
  if (task.extras != nullptr) attempts = task.extras->attempts;
  const WorkerMark::Facts* facts = task.ran_on.get();
  if (facts == nullptr) return attempts;
  AttemptView last{task.attempt, facts->id, facts->pid, facts->generation};
  if (task.ended) {
    const OutcomePtr outcome = OutcomeOf(task);
    const OutcomeDetail* detail = outcome->detail.get();
    last.started_at = outcome->started_at;
    last.ended_at = outcome->ended_at;
    last.state = task.state;
    if (detail != nullptr) {
      last.reason = ReasonOf(detail->failure ? &*detail->failure : nullptr, detail->death ? &*detail->death : nullptr);
    }
  } else {
    if (task.worker == nullptr || task.worker->sent.front() != &task) return attempts;  // sent ahead, not begun
    last.started_at = task.worker->progress_at;
    last.state = TaskState::kRunning;
  }
  if (attempts.size() >= kMostAttempts) attempts.erase(attempts.begin());
  attempts.push_back(std::move(last));
  return attempts;
}

}  // namespace poold::core
