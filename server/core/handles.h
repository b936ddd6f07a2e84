// Tasks, maps and chunks, as they stand in lists: the casts, each of which REQUIRES that the node is of that kind.
#pragma once

#include "core/map_run.h"
#include "core/task.h"

namespace poold::core {

inline Task* AsTask(Node* node) { return static_cast<Task*>(node); }
inline MapRun* AsMap(Node* node) { return static_cast<MapRun*>(node); }
inline Chunk* AsChunk(Node* node) { return static_cast<Chunk*>(node); }
inline const Task& AsTask(const Handle& handle) { return static_cast<const Task&>(handle); }
inline const MapRun& AsMap(const Handle& handle) { return static_cast<const MapRun&>(handle); }

inline bool Handle::ended() const { return is_map() ? HasEnded(AsMap(*this).life) : HasEnded(AsTask(*this).life); }

// The token under which a worker has this task or chunk.
inline AttemptToken TokenOf(const Node* node) {
  return AttemptToken{node->kind == NodeKind::kTask ? static_cast<const Task*>(node)->token
                                                    : static_cast<const Chunk*>(node)->token};
}
// The handle of a node of Worker::sent or of a line: the task, the map, or the map of the chunk.
inline const Handle& HandleOf(const Node* node) {
  if (node->kind == NodeKind::kChunk) return *static_cast<const Chunk*>(node)->map;
  return *static_cast<const Handle*>(node);
}
inline int PriorityOf(const Node* node) { return HandleOf(node).group->options->priority; }

}  // namespace poold::core
