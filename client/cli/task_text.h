#pragma once

#include <string>

#include "poold/v1/pool_service.pb.h"

// Tasks and maps in words, for tables and lines. No I/O.
namespace poold::cli {

// "QUEUED". Of a map as ListTasks filters it: FAILED where some item did not succeed.
std::string StateWord(v1::TaskState state);
v1::TaskState StateOf(const v1::MapProgress& map);
// TASK_STATE_UNSPECIFIED when there is no such state. Upper or lower case.
v1::TaskState StateFromWord(const std::string& word);

// "42 %: resizing", "done" where it cannot tell a fraction; empty without progress.
std::string ProgressWord(const v1::Progress& progress);

// "square: 20 of 40 (and more to come) items done, 1 without success".
std::string ProgressSentence(const v1::MapProgress& map);

// "SIGKILL", "signal 70".
std::string SignalName(int signal);

double Seconds(const google::protobuf::Duration& duration);
double Seconds(const google::protobuf::Timestamp& time);

// "12:30:05.123", local time.
std::string ClockText(const google::protobuf::Timestamp& time);

}  // namespace poold::cli
