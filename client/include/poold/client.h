// The C++ SDK of poold: everything, in one include.
//
//   auto client = poold::client::Client::Connect();
//   auto pool = client->OpenPool({.name = "demo", .workers = 2, .modules = {"examples"}});
//   auto handle = pool->Submit<int>("square", 7);   // returns at once
//   absl::StatusOr<int> result = handle.Get();      // 49
//
// client/client.h       Client: a connection to a daemon
// client/pool.h         Pool: submit, map, close, terminate, join
// client/task_handle.h  TaskHandle<T>: the result that is to come
// client/map_handle.h   MapHandle<T>: the results of a map
// client/map_stream.h  MapStream<T>: a map over an input that need not end
// client/shared_bytes.h SharedBytes: a result where it lies
// client/wait.h         Wait and AsCompleted over many handles
// client/progress_bar.h  how far a map is, drawn for people
// client/status.h       what an error says beyond its code
// client/options.h      what can be asked for
// client/connection.h   where you mock
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
