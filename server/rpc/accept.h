// The methods of poold.v1.PoolService, in groups: each function accepts calls of its group from now on.
#pragma once

#include "rpc/queue_context.h"

namespace poold::rpc {

// OpenPool, GetPool, ListPools, Resize, Reload, Close, Terminate, Join, GetStats, GetServerInfo.
void AcceptPoolCalls(QueueContext* queue_context);
// Submit, Map, Get, Cancel, Release.
void AcceptTaskCalls(QueueContext* queue_context);
void AcceptWaits(QueueContext* queue_context);
// ListTasks, Explain.
void AcceptListCalls(QueueContext* queue_context);
// GetItems, Watch, Download.
void AcceptStreamCalls(QueueContext* queue_context);
void AcceptUploads(QueueContext* queue_context);
void AcceptSessions(QueueContext* queue_context);
// Health, reflection, and whatever else is asked for.
void AcceptStandardCalls(QueueContext* queue_context);

}  // namespace poold::rpc
