// The C++ SDK of poold in one include.
//
// Example:
//   auto client = poold::client::Client::Connect();
//   auto pool = client->OpenPool({.name = "demo", .workers = 2, .modules = {"examples"}});
//   auto handle = pool->Submit<int>("square", 7);   // returns at once
//   absl::StatusOr<int> result = handle.Get();      // 49
//
// client/client.h        Client: a connection to a daemon
// client/pool.h          Pool: submit, map, close, terminate, join
// client/task_handle.h   TaskHandle<T>: the result of one task
// client/map_handle.h    MapHandle<R>: the results of a map
// client/map_stream.h    MapStream<R>: a map over an input that may be endless
// client/shared_bytes.h  SharedBytes: a result that is not copied
// client/wait.h          Wait and AsCompleted over many handles
// client/progress_bar.h  ProgressBar: a map's progress, drawn for people
// client/status.h        reasons of errors
// client/options.h       options of clients, pools, tasks and maps
// client/outcome.h       Outcome: how a task ended; output and progress
// client/pool_info.h     PoolInfo: a pool as it stands
// client/task_info.h     TaskInfo, MapProgress, Explanation: tasks and maps as the daemon shows them
// client/server_info.h   ServerInfo and Stats: the daemon, its limits and its counters
// client/watch_event.h   WatchEvent: something that happened
// client/connection.h    Connection: the interface that tests mock
//
// None of these needs protobuf or gRPC. client/proto.h, which this header does not include, converts the structs to and
// from the contract's messages.
#pragma once

#include "poold/client/client.h"
#include "poold/client/map_handle.h"
#include "poold/client/map_stream.h"
#include "poold/client/options.h"
#include "poold/client/pool.h"
#include "poold/client/progress_bar.h"
#include "poold/client/shared_bytes.h"
#include "poold/client/status.h"
#include "poold/client/task_handle.h"
#include "poold/client/wait.h"
