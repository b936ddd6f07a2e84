// The methods of poold.v1.PoolService as functions from a request to its answer.
//
// Role: each function checks its request for form, brings it to the cores that it concerns, and answers, now or later.
// Non-role: no function knows how the call came.
// Threads: called by the call's thread (call.h); answers come from any thread. Errors: refusals by api/errors.h;
// pool_service.proto lists the reasons of each method.
// A new method of the contract is declared here and named in one of the two lists at the end; transports take it from
// there.
#pragma once

#include <memory>

#include "api/call.h"
#include "poold/v1/pool_service.pb.h"

namespace poold::api {

// ---- Pools and the daemon (pool_calls.cc) ----
using OpenPoolCall = Call<v1::OpenPoolRequest, v1::OpenPoolResponse>;
using GetPoolCall = Call<v1::GetPoolRequest, v1::GetPoolResponse>;
using ListPoolsCall = Call<v1::ListPoolsRequest, v1::ListPoolsResponse>;
using ResizeCall = Call<v1::ResizeRequest, v1::ResizeResponse>;
using ReloadCall = Call<v1::ReloadRequest, v1::ReloadResponse>;
using CloseCall = Call<v1::CloseRequest, v1::CloseResponse>;
using TerminateCall = Call<v1::TerminateRequest, v1::TerminateResponse>;
using JoinCall = Call<v1::JoinRequest, v1::JoinResponse>;
using GetStatsCall = Call<v1::GetStatsRequest, v1::GetStatsResponse>;
using GetServerInfoCall = Call<v1::GetServerInfoRequest, v1::GetServerInfoResponse>;
// Answers when the pool runs or has failed. The pool opens also when nobody waits for it any more.
void OpenPool(const std::shared_ptr<OpenPoolCall>& call);
// Answered at once; so are the next two.
void GetPool(const std::shared_ptr<GetPoolCall>& call);
void ListPools(const std::shared_ptr<ListPoolsCall>& call);
void Resize(const std::shared_ptr<ResizeCall>& call);
// The reload goes on when nobody waits for it any more.
void Reload(const std::shared_ptr<ReloadCall>& call);
// Answers at once, or with cancel_queued when all that had not begun was cancelled.
void Close(const std::shared_ptr<CloseCall>& call);
// Answers when the last process of the pool is gone. The pool ends also when nobody waits for it any more.
void Terminate(const std::shared_ptr<TerminateCall>& call);
// Answers when the last process is gone, or the time of the call is over.
void Join(const std::shared_ptr<JoinCall>& call);
// Both answer at once.
void GetStats(const std::shared_ptr<GetStatsCall>& call);
void GetServerInfo(const std::shared_ptr<GetServerInfoCall>& call);

// ---- Tasks and maps (submit_call.cc, task_calls.cc, wait_call.cc) ----
using SubmitCall = Call<v1::SubmitRequest, v1::SubmitResponse>;
using MapCall = Call<v1::MapRequest, v1::MapResponse>;
using GetCall = Call<v1::GetRequest, v1::GetResponse>;
using GetManyCall = Call<v1::GetManyRequest, v1::GetManyResponse>;
using CancelCall = Call<v1::CancelRequest, v1::CancelResponse>;
using ReleaseCall = Call<v1::ReleaseRequest, v1::ReleaseResponse>;
using WaitCall = Call<v1::WaitRequest, v1::WaitResponse>;
// Takes each task or refuses it by itself; with a wait_timeout answers when the tasks have ended. Safe to repeat with
// the same ids.
void Submit(const std::shared_ptr<SubmitCall>& call);
// Opens a map or appends items to it. Safe to repeat.
void Map(const std::shared_ptr<MapCall>& call);
// Answers when the handle has ended, or the time of the call is over.
void Get(const std::shared_ptr<GetCall>& call);
// As Get, for many handles, within the bounds of one answer.
void GetMany(const std::shared_ptr<GetManyCall>& call);
// All or nothing: an unknown handle fails the call before anything is cancelled.
void Cancel(const std::shared_ptr<CancelCall>& call);
// Forgets outcomes that the client has seen. Safe to repeat.
void Release(const std::shared_ptr<ReleaseCall>& call);
// Answers when as many of the handles have ended as its mode says, or the time of the call is over.
void Wait(const std::shared_ptr<WaitCall>& call);

// ---- What the daemon holds (list_calls.cc) ----
using ListTasksCall = Call<v1::ListTasksRequest, v1::ListTasksResponse>;
using ExplainCall = Call<v1::ExplainRequest, v1::ExplainResponse>;
// Answers with a page of handles; a page may be short and have a next one all the same.
void ListTasks(const std::shared_ptr<ListTasksCall>& call);
// Answers why a handle is where it is.
void Explain(const std::shared_ptr<ExplainCall>& call);

// ---- Many answers (stream_calls.cc, watch_call.cc) ----
using GetItemsCall = StreamCall<v1::GetItemsRequest, v1::GetItemsResponse>;
using WatchCall = StreamCall<v1::WatchRequest, v1::WatchResponse>;
using DownloadCall = StreamCall<v1::DownloadRequest, v1::DownloadResponse>;
// Sends outcomes of a map's items, in their order or as they come about, until the map has ended.
void GetItems(const std::shared_ptr<GetItemsCall>& call);
// Sends events of handles or of a pool until all of them have ended. A slow reader loses events and gets a resync.
void Watch(const std::shared_ptr<WatchCall>& call);
// Sends the bytes of a result or of arguments, in pieces.
void Download(const std::shared_ptr<DownloadCall>& call);

// Calls `visit(name, function)` for each method with one request and one answer.
template <typename Visit>
void ForEachCall(Visit visit) {
  visit("OpenPool", OpenPool);
  visit("GetPool", GetPool);
  visit("ListPools", ListPools);
  visit("Resize", Resize);
  visit("Reload", Reload);
  visit("Close", Close);
  visit("Terminate", Terminate);
  visit("Join", Join);
  visit("GetStats", GetStats);
  visit("GetServerInfo", GetServerInfo);
  visit("Submit", Submit);
  visit("Map", Map);
  visit("Get", Get);
  visit("GetMany", GetMany);
  visit("Cancel", Cancel);
  visit("Release", Release);
  visit("Wait", Wait);
  visit("ListTasks", ListTasks);
  visit("Explain", Explain);
}

// Calls `visit(name, function)` for each method with one request and many answers. Upload, whose requests are many, and
// Session are objects: uploads.h, session/session.h.
template <typename Visit>
void ForEachStreamCall(Visit visit) {
  visit("GetItems", GetItems);
  visit("Watch", Watch);
  visit("Download", Download);
}

}  // namespace poold::api
