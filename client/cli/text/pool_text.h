// Pools and workers in words. Pure functions.
#pragma once

#include <string>

#include "poold/v1/pool.pb.h"
#include "poold/v1/server_info.pb.h"

namespace poold::cli {

// "running".
std::string StateWord(v1::PoolState state);
std::string StateWord(v1::WorkerState state);
std::string ContainmentWord(v1::Containment means);

// "demo running, 4 workers, generation 2, reloading".
std::string PoolSentence(const v1::Pool& pool);

// The pool's modules, or its program.
std::string ModulesText(const v1::PoolSpec& spec);

// The tasks that ended otherwise than SUCCEEDED.
uint64_t Unsuccessful(const v1::PoolStats& stats);

// "1 worker", "2 workers".
std::string Count(uint64_t count, const char* noun);

// The time since then; "-" for a time that is not set.
std::string AgeText(const google::protobuf::Timestamp& since);

}  // namespace poold::cli
