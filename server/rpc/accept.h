// The methods of poold.v1.PoolService, in groups: each function accepts calls of its group from now on.
#pragma once

#include "rpc/wiring.h"

namespace poold::rpc {

// OpenPool, GetPool, ListPools, Resize, Reload, Close, Terminate, Join, GetStats, GetServerInfo.
void AcceptPoolCalls(Wiring* wiring);
// Submit, Map, Get, Cancel, Release.
void AcceptTaskCalls(Wiring* wiring);
void AcceptWaits(Wiring* wiring);
// ListTasks, Explain.
void AcceptListCalls(Wiring* wiring);
// GetItems, Watch, Download.
void AcceptStreamCalls(Wiring* wiring);
void AcceptUploads(Wiring* wiring);
void AcceptSessions(Wiring* wiring);
// Health, reflection, and whatever else is asked for.
void AcceptStandardCalls(Wiring* wiring);

}  // namespace poold::rpc
