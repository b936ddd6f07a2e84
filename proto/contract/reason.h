// Reasons of refusals: the one table of the stable words that a client may decide by.
//
// A reason travels as google.rpc.ErrorInfo.reason (domain "poold") beside the status code. Messages are for people and
// may change; reasons do not. The server, the SDK and poolctl name reasons by these constants and nowhere by a text
// (lint.reasons); pool_service.proto, status.h and deploy/doc/reasons.md say what stands here, and a test compares
// them. To add one: a constant, its place in kAll, and the line of documentation that the test asks for.
#pragma once

#include <span>
#include <string_view>

#include "absl/status/status.h"

namespace poold::reason {

// The program that makes a reason.
enum class Maker { kDaemon, kClient, kBoth };

// One row. Constant; texts live as long as the program.
struct Reason {
  // As it travels: "QUEUE_FULL".
  std::string_view name;
  // The code of the status.
  absl::StatusCode code;
  // The same call, unchanged, may succeed later.
  bool retryable;
  Maker maker;
  // One sentence: what has happened.
  std::string_view meaning;
  // One sentence: what a client can do.
  std::string_view remedy;
  // Another code with which the reason occurs. kOk: none.
  absl::StatusCode other_code = absl::StatusCode::kOk;

  // Reads as its name, so that it compares with what travelled.
  constexpr operator std::string_view() const { return name; }
  // Whether a refusal with this reason may have this code.
  constexpr bool HasCode(absl::StatusCode asked) const {
    return asked == code || (other_code != absl::StatusCode::kOk && asked == other_code);
  }
  friend constexpr bool operator==(std::string_view text, const Reason& reason) { return text == reason.name; }
};

using Code = absl::StatusCode;

// ---- What is asked for ----
// Made by every check of form: api/validate and api/convert for messages, config/folders for names, the core where a
// value does not fit the state. FAILED_PRECONDITION: Download of a handle that has no result.
inline constexpr Reason kInvalidField{"INVALID_FIELD",
                                      Code::kInvalidArgument,
                                      false,
                                      Maker::kDaemon,
                                      "A field has a value that is not possible, or that does not fit the others.",
                                      "Correct the field that BadRequest names.",
                                      Code::kFailedPrecondition};
// Never succeeds, however often it is sent. The SDK makes it before sending where the arguments cannot travel.
inline constexpr Reason kTooLarge{"TOO_LARGE",
                                  Code::kInvalidArgument,
                                  false,
                                  Maker::kBoth,
                                  "Arguments, an item or a text are larger than is ever taken.",
                                  "Send less, or put large data where tasks can read it."};
// Of lists in one message (api/); as RESOURCE_EXHAUSTED of pools (Pools::CheckOpen).
inline constexpr Reason kTooMany{
    "TOO_MANY",
    Code::kInvalidArgument,
    false,
    Maker::kDaemon,
    "A request has more parts than one request may have, or there are as many pools as there may be.",
    "Send several smaller requests; close a pool.",
    Code::kResourceExhausted};
// Made by Submissions for a gap in a map's items. The SDK sends them again from `accepted_items` on, unseen by its
// caller.
inline constexpr Reason kItemsMissing{"ITEMS_MISSING",
                                      Code::kInvalidArgument,
                                      false,
                                      Maker::kDaemon,
                                      "More items of a map begin behind those that the daemon has.",
                                      "Continue from accepted_items."};

// ---- Pools ----
// Made by Pools::Find for every call that names a pool; the api adds the nearest known name.
inline constexpr Reason kPoolNotFound{"POOL_NOT_FOUND",
                                      Code::kNotFound,
                                      false,
                                      Maker::kDaemon,
                                      "There is no pool of this name.",
                                      "Open the pool, or correct the name that the message suggests."};
// Made by Pools::CheckOpen: the name is taken by a live pool that this call cannot share.
inline constexpr Reason kPoolExists{"POOL_EXISTS",
                                    Code::kAlreadyExists,
                                    false,
                                    Maker::kDaemon,
                                    "A live pool has this name and another spec, or another creator.",
                                    "Choose another name, or end that pool first."};
// Of calls that need a pool which takes work, and of calls that waited for a pool to open or reload when it ended.
inline constexpr Reason kPoolNotRunning{
    "POOL_NOT_RUNNING", Code::kFailedPrecondition, false, Maker::kDaemon, "The pool was closed or terminated.",
    "Open it anew."};
// Made by Join alone.
inline constexpr Reason kPoolStillRunning{"POOL_STILL_RUNNING",
                                          Code::kFailedPrecondition,
                                          false,
                                          Maker::kDaemon,
                                          "Join was called for a pool that nobody has closed or terminated.",
                                          "Close or terminate it first."};
// The next two are made by FailureOf (core/pool/pools.h): a pool whose workers do not start, and a strict pool in which
// one died.
inline constexpr Reason kPoolFailed{"POOL_FAILED",
                                    Code::kFailedPrecondition,
                                    false,
                                    Maker::kDaemon,
                                    "The pool's workers cannot start.",
                                    "Correct what the message says of the worker, and open the pool anew."};
inline constexpr Reason kPoolBroken{"POOL_BROKEN",
                                    Code::kFailedPrecondition,
                                    false,
                                    Maker::kDaemon,
                                    "A worker died in a pool with DEATH_POLICY_STRICT.",
                                    "Open the pool anew and submit again."};
// Answers a Reload that was rolled back; the pool goes on as before.
inline constexpr Reason kReloadFailed{"RELOAD_FAILED",
                                      Code::kFailedPrecondition,
                                      false,
                                      Maker::kDaemon,
                                      "The new generation did not start; the old one works on.",
                                      "Correct the module that the message names, and reload again."};
// The next two are made by config/folders when a pool is opened, before the core sees the spec.
inline constexpr Reason kModuleNotFound{"MODULE_NOT_FOUND",
                                        Code::kNotFound,
                                        false,
                                        Maker::kDaemon,
                                        "No module folder of the daemon has a module of this name.",
                                        "Install the module, or correct its name."};
inline constexpr Reason kProgramNotFound{"PROGRAM_NOT_FOUND",
                                         Code::kNotFound,
                                         false,
                                         Maker::kDaemon,
                                         "No program folder of the daemon has a worker program of this name.",
                                         "Install the program, or correct its name."};
// The next two depend on the daemon's configuration: allow_exec, allowed_environment.
inline constexpr Reason kExecNotAllowed{"EXEC_NOT_ALLOWED",
                                        Code::kFailedPrecondition,
                                        false,
                                        Maker::kDaemon,
                                        "The daemon's configuration does not allow pools with the function exec.",
                                        "Let the configuration say allow_exec = true, or do without."};
inline constexpr Reason kEnvironmentNotAllowed{
    "ENVIRONMENT_NOT_ALLOWED",
    Code::kFailedPrecondition,
    false,
    Maker::kDaemon,
    "A variable of the pool's environment would have the workers load code of the client's choice.",
    "Set it inside the module, or let the configuration name it in allowed_environment."};

// ---- Functions and handles ----
// Made by Submissions once the pool's functions are known. What was submitted before ends FAILED in the same words.
inline constexpr Reason kFunctionNotFound{"FUNCTION_NOT_FOUND",
                                          Code::kNotFound,
                                          false,
                                          Maker::kDaemon,
                                          "The pool's workers registered no function of this name.",
                                          "Correct the name, or open the pool with the module that has it."};
// The next two answer every call that names a handle (HandleStore::Get). Released ids are remembered up to
// remembered_ids.
inline constexpr Reason kHandleNotFound{
    "HANDLE_NOT_FOUND",
    Code::kNotFound,
    false,
    Maker::kDaemon,
    "The daemon does not know the handle: it was never submitted here, its outcome expired, or the daemon restarted.",
    "Submit again if that does no harm."};
inline constexpr Reason kHandleReleased{"HANDLE_RELEASED",
                                        Code::kNotFound,
                                        false,
                                        Maker::kDaemon,
                                        "The outcome of the handle was released.",
                                        "Release only what nobody asks for any more; a new task needs a new id.",
                                        Code::kAlreadyExists};
// Made by Submissions: the id is known, and pool, function, options or arguments differ.
inline constexpr Reason kHandleExists{
    "HANDLE_EXISTS", Code::kAlreadyExists, false, Maker::kDaemon, "The id belongs to another task or map.",
    "Draw a new id."};
// Made for Download of arguments: they are kept while a task runs, and after that of what did not succeed.
inline constexpr Reason kArgumentsNotKept{"ARGUMENTS_NOT_KEPT",
                                          Code::kNotFound,
                                          false,
                                          Maker::kDaemon,
                                          "The arguments are no longer kept: the task succeeded.",
                                          "Download arguments before the task ends, or of tasks that did not succeed."};
// The arguments that a submission names by upload or arena are not there. The SDK sends them again by itself.
inline constexpr Reason kUploadNotFound{
    "UPLOAD_NOT_FOUND",
    Code::kNotFound,
    false,
    Maker::kDaemon,
    "There is no such upload: a submission took it, or it waited for longer than upload_ttl.",
    "Upload the arguments again."};
// Of items for a map that was closed because its client was absent for owner_grace.
inline constexpr Reason kClientLost{
    "CLIENT_LOST",
    Code::kFailedPrecondition,
    false,
    Maker::kDaemon,
    "The map's client had no session for longer than owner_grace; the map was completed.",
    "Submit the items that are missing as a new map."};
// Made by core/waits.cc for a Get or Wait that comes from a task.
inline constexpr Reason kWouldDeadlock{
    "WOULD_DEADLOCK",
    Code::kFailedPrecondition,
    false,
    Maker::kDaemon,
    "A task waits for work that no worker is left to run, since all that could wait like it.",
    "Give the pool more workers than tasks that wait, or submit to another pool."};

// ---- Shortage ----
// Made wherever a quota of the memory budget, a pool's queue or the spool is full. Carries a RetryInfo; the SDK waits
// and sends again where its caller allows it.
inline constexpr Reason kQueueFull{"QUEUE_FULL",
                                   Code::kResourceExhausted,
                                   true,
                                   Maker::kDaemon,
                                   "A queue or a part of the memory is full; QuotaFailure names it.",
                                   "Send it again after the delay of RetryInfo."};
// Answers everything new from the first signal on, and ends streams.
inline constexpr Reason kShuttingDown{"SHUTTING_DOWN",
                                      Code::kUnavailable,
                                      true,
                                      Maker::kDaemon,
                                      "The daemon shuts down and takes nothing new.",
                                      "Connect again when it is back."};
// Made by the acceptor and the table of connections, for a client that is not let in.
inline constexpr Reason kTooManyConnections{
    "TOO_MANY_CONNECTIONS",
    Code::kResourceExhausted,
    true,
    Maker::kDaemon,
    "The daemon has as many connections as it may have, of this peer or of all.",
    "Close some connections, or connect again after the delay of RetryInfo."};
// Made for a peer that Http2Guard had to cut (transport/grpc/grpc_sockets.h).
inline constexpr Reason kTooManyCancelledCalls{
    "TOO_MANY_CANCELLED_CALLS",
    Code::kResourceExhausted,
    true,
    Maker::kDaemon,
    "Connections of this peer were cut, since too many of their calls were cancelled before they began.",
    "Connect again after the delay of RetryInfo, and cancel fewer calls."};
// Made by the acceptor for a Unix socket's peer of another user.
inline constexpr Reason kAnotherUser{"ANOTHER_USER",
                                     Code::kPermissionDenied,
                                     false,
                                     Maker::kDaemon,
                                     "The daemon runs as another user and serves that user and root alone.",
                                     "Run a daemon of your own, or become that user."};

// ---- Made by the SDK ----
// The next five are outcomes of tasks, as statuses: Get<T>() of a handle answers them, no call of the contract does.
inline constexpr Reason kTaskFailed{"TASK_FAILED",
                                    Code::kUnknown,
                                    false,
                                    Maker::kClient,
                                    "The function threw or returned an error: outcome().failure.",
                                    "Look at the failure."};
inline constexpr Reason kTaskCrashed{"TASK_CRASHED",
                                     Code::kAborted,
                                     false,
                                     Maker::kClient,
                                     "The worker died while it ran the task: outcome().death.",
                                     "Look at the death certificate, or allow more attempts."};
inline constexpr Reason kTaskTimedOut{"TASK_TIMED_OUT",
                                      Code::kAborted,
                                      false,
                                      Maker::kClient,
                                      "run_timeout or total_timeout passed: outcome().death if the worker was killed.",
                                      "Allow more time, or more attempts."};
inline constexpr Reason kTaskExpired{"TASK_EXPIRED",
                                     Code::kAborted,
                                     false,
                                     Maker::kClient,
                                     "queue_timeout or total_timeout passed before the task started.",
                                     "Submit again, or allow more time."};
inline constexpr Reason kTaskCancelled{"TASK_CANCELLED",
                                       Code::kCancelled,
                                       false,
                                       Maker::kClient,
                                       "A client cancelled the task, or its pool was terminated or failed.",
                                       "Submit again if it is still wanted."};
// Made when the instance id of the daemon has changed: the handle may have run or not.
inline constexpr Reason kHandleLost{"HANDLE_LOST",
                                    Code::kUnavailable,
                                    false,
                                    Maker::kClient,
                                    "The daemon was restarted and does not know the handle.",
                                    "Submit again if that does no harm."};
// Made by Get<T>() when the result does not decode as T. The result is still there.
inline constexpr Reason kResultType{"RESULT_TYPE",
                                    Code::kInvalidArgument,
                                    false,
                                    Maker::kClient,
                                    "The task succeeded, but its result is not of the type that was asked for.",
                                    "Ask for the type that the message names."};
// Made by every wait with a time limit. The task goes on.
inline constexpr Reason kWaitTimeout{"WAIT_TIMEOUT",
                                     Code::kDeadlineExceeded,
                                     true,
                                     Maker::kClient,
                                     "What was waited for has not ended yet; nothing is lost.",
                                     "Ask again."};
// Made by streams of a map whose MapOptions::timeout has passed.
inline constexpr Reason kMapTimeout{"MAP_TIMEOUT",
                                    Code::kDeadlineExceeded,
                                    false,
                                    Maker::kClient,
                                    "MapOptions::timeout passed; the rest of the map is cancelled.",
                                    "Allow more time."};
// Made by Successful(), as in Python's AsyncResult.
inline constexpr Reason kNotReady{
    "NOT_READY",  Code::kFailedPrecondition, true, Maker::kClient, "Successful() was asked before the end.",
    "Wait first."};
// Made where OnFull says to refuse and not to block.
inline constexpr Reason kClientFull{
    "CLIENT_FULL",
    Code::kResourceExhausted,
    true,
    Maker::kClient,
    "As much as max_unsent_bytes waits to be sent: the task or the items were not submitted.",
    "Submit again later, or let Submit block (OnFull::kBlock)."};
// Made by every call in a child of fork.
inline constexpr Reason kForked{"FORKED",
                                Code::kFailedPrecondition,
                                false,
                                Maker::kClient,
                                "The client belongs to the process that this one was forked from.",
                                "Make a client in each child, or exec."};

// Every reason, in the order of this file, for documents and tests.
inline constexpr const Reason* kAll[] = {&kInvalidField,
                                         &kTooLarge,
                                         &kTooMany,
                                         &kItemsMissing,
                                         &kPoolNotFound,
                                         &kPoolExists,
                                         &kPoolNotRunning,
                                         &kPoolStillRunning,
                                         &kPoolFailed,
                                         &kPoolBroken,
                                         &kReloadFailed,
                                         &kModuleNotFound,
                                         &kProgramNotFound,
                                         &kExecNotAllowed,
                                         &kEnvironmentNotAllowed,
                                         &kFunctionNotFound,
                                         &kHandleNotFound,
                                         &kHandleReleased,
                                         &kHandleExists,
                                         &kArgumentsNotKept,
                                         &kUploadNotFound,
                                         &kClientLost,
                                         &kWouldDeadlock,
                                         &kQueueFull,
                                         &kShuttingDown,
                                         &kTooManyConnections,
                                         &kTooManyCancelledCalls,
                                         &kAnotherUser,
                                         &kTaskFailed,
                                         &kTaskCrashed,
                                         &kTaskTimedOut,
                                         &kTaskExpired,
                                         &kTaskCancelled,
                                         &kHandleLost,
                                         &kResultType,
                                         &kWaitTimeout,
                                         &kMapTimeout,
                                         &kNotReady,
                                         &kClientFull,
                                         &kForked};

}  // namespace poold::reason
