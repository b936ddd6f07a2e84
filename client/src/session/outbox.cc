#include "session/outbox.h"

#include "convert.h"

namespace poold::client::internal {
namespace {

// A message is full here: large enough to cost nothing for each item, small enough that the daemon can begin.
constexpr std::uint64_t kFullBytes = 256 << 10;
constexpr std::uint32_t kFullItems = 4096;
// Messages that grew larger than this are not kept for the next time.
constexpr std::uint64_t kSpareBytes = 2 << 20;
constexpr std::size_t kSpares = 16;
// What a task costs beside its arguments.
constexpr std::uint64_t kTaskBytes = 8;

bool Joins(const v1::TaskGroup& group, const TaskOptions& group_options, const TaskCall& call, const HandleId& id) {
  return group.id_high() == id.high && group.first_id_low() + group.args_bytes_size() == id.low &&
         group.function() == call.function && group.pool() == call.pool && group.encoding() == ToProto(call.encoding) &&
         group.type_name() == call.type_name && group.upload_id().empty() && !group.has_in_arena() &&
         SameOnWire(group_options, *call.options);
}

void WritePlace(const ArgumentTransfer& transfer, v1::ArenaSlot* out) {
  out->set_arena(transfer.slot->arena);
  out->set_slot(transfer.slot->place.slot);
  out->set_use(transfer.slot->place.use);
  out->set_bytes(transfer.bytes);
}

// The group that these items continue, if it is the last one of its message.
v1::MapGroup* LastGroup(Batch& batch, const HandleId& id, std::uint64_t first_index) {
  if (batch.message.map_size() == 0) return nullptr;
  v1::MapGroup* last = batch.message.mutable_map(batch.message.map_size() - 1);
  const bool next = last->first_index() + static_cast<std::uint64_t>(last->item_bytes_size()) == first_index;
  return next && !last->complete() && HandleId::FromBytes(last->id()) == id ? last : nullptr;
}

}  // namespace

Batch& Outbox::Open(std::uint64_t bytes) {
  const bool fresh = unsent_.empty() || unsent_.back()->bytes + bytes > kFullBytes ||
                     unsent_.back()->items >= kFullItems || unsent_.back()->number <= last_sent_;
  if (fresh) {
    if (spare_.empty()) {
      unsent_.push_back(std::make_unique<Batch>());
    } else {
      unsent_.push_back(std::move(spare_.back()));
      spare_.pop_back();
    }
    unsent_.back()->number = next_number_++;
  }
  Batch& batch = *unsent_.back();
  batch.bytes += bytes;
  ++batch.items;
  bytes_ += bytes;
  return batch;
}

std::uint64_t Outbox::AddTask(const TaskCall& call, const HandleId& id, const ArgumentTransfer& transfer) {
  const std::string_view args = transfer.travels_inline() ? call.args : std::string_view();
  Batch& batch = Open(args.size() + kTaskBytes);
  ++urgent_;
  auto* groups = batch.message.mutable_submit();
  v1::TaskGroup* group = groups->empty() ? nullptr : groups->Mutable(groups->size() - 1);
  if (group == nullptr || !transfer.travels_inline() || !Joins(*group, batch.last_options, call, id)) {
    group = groups->Add();
    group->set_pool(call.pool.data(), call.pool.size());
    group->set_function(call.function.data(), call.function.size());
    ToProto(*call.options, group->mutable_options());
    group->set_id_high(id.high);
    group->set_first_id_low(id.low);
    group->set_encoding(ToProto(call.encoding));
    group->set_type_name(call.type_name.data(), call.type_name.size());
    group->set_upload_id(transfer.upload_id);
    if (transfer.slot) WritePlace(transfer, group->mutable_in_arena());
    batch.last_options = *call.options;
    batch.bytes += call.pool.size() + call.function.size() + kTaskBytes;
    bytes_ += call.pool.size() + call.function.size() + kTaskBytes;
  }
  group->add_args_bytes(static_cast<std::uint32_t>(args.size()));
  group->mutable_args()->append(args);
  return batch.number;
}

std::uint64_t Outbox::AddItems(const MapCall& call, const HandleId& id, std::uint64_t first_index,
                               const MapBatch& items) {
  Batch& batch = Open(items.items.size() + items.item_bytes.size() * 2 + call.function.size());
  ++urgent_;
  // The limit is on all items of a request.
  batch.items += static_cast<std::uint32_t>(items.item_bytes.size());
  if (v1::MapGroup* last = LastGroup(batch, id, first_index)) {
    last->mutable_item_bytes()->Add(items.item_bytes.begin(), items.item_bytes.end());
    last->mutable_items()->append(items.items);
    last->set_complete(items.complete);
    return batch.number;
  }
  v1::MapGroup* group = batch.message.add_map();
  group->set_pool(call.pool.data(), call.pool.size());
  group->set_function(call.function.data(), call.function.size());
  ToProto(call.options->task, group->mutable_options());
  group->set_id(id.ToBytes());
  group->set_first_index(first_index);
  group->mutable_item_bytes()->Add(items.item_bytes.begin(), items.item_bytes.end());
  group->set_items(items.items.data(), items.items.size());
  group->set_encoding(ToProto(call.encoding));
  group->set_type_name(call.type_name.data(), call.type_name.size());
  group->set_complete(items.complete);
  group->set_fail_fast(call.options->fail_fast);
  if (call.options->chunk_size) group->set_chunk_size(Bounded32(*call.options->chunk_size));
  return batch.number;
}

void Outbox::Append(v1::IdRuns* runs, const HandleId& id) {
  const int last = runs->high_size() - 1;
  if (last >= 0 && runs->high(last) == id.high && runs->low(last) + runs->count(last) == id.low) {
    runs->set_count(last, runs->count(last) + 1);
    return;
  }
  runs->add_high(id.high);
  runs->add_low(id.low);
  runs->add_count(1);
}

std::uint64_t Outbox::AddSubscription(const HandleId& id) {
  Batch& batch = Open(kTaskBytes);
  ++urgent_;
  Append(batch.message.mutable_subscribe(), id);
  return batch.number;
}

void Outbox::AddCancel(const HandleId& id, bool running) {
  Batch& batch = Open(kTaskBytes);
  ++urgent_;
  Append(running ? batch.message.mutable_cancel_running() : batch.message.mutable_cancel(), id);
}

void Outbox::AddRelease(const HandleId& id) {
  Batch& batch = Open(kTaskBytes);
  ++patient_;
  Append(batch.message.mutable_release(), id);
}

// Somebody may wait for its room.
void Outbox::AddUploadRelease(const HandleId& upload) {
  AddRelease(upload);
  ++urgent_;
}

void Outbox::AddConsumed(const HandleId& id, std::uint64_t first_index, std::uint64_t count) {
  Batch& batch = Open(kTaskBytes);
  ++patient_;
  if (const int size = batch.message.consumed_size(); size > 0) {
    v1::ItemsConsumed* last = batch.message.mutable_consumed(size - 1);
    if (last->first_index() + last->count() == first_index && HandleId::FromBytes(last->id()) == id) {
      last->set_count(last->count() + count);
      return;
    }
  }
  v1::ItemsConsumed* consumed = batch.message.add_consumed();
  consumed->set_id(id.ToBytes());
  consumed->set_first_index(first_index);
  consumed->set_count(count);
}

const v1::SessionRequest* Outbox::Send() {
  sent_.push_back(std::move(unsent_.front()));
  unsent_.pop_front();
  if (unsent_.empty()) urgent_ = patient_ = 0;
  last_sent_ = std::max(last_sent_, sent_.back()->number);
  return &sent_.back()->message;
}

void Outbox::Acknowledge(std::uint64_t count) {
  for (; count > 0 && !sent_.empty(); --count) {
    last_acknowledged_ = std::max(last_acknowledged_, sent_.front()->number);
    bytes_ -= sent_.front()->bytes;
    Recycle(std::move(sent_.front()));
    sent_.pop_front();
  }
}

void Outbox::Rewind() {
  if (!sent_.empty()) ++urgent_;
  while (!sent_.empty()) {
    unsent_.push_front(std::move(sent_.back()));
    sent_.pop_back();
  }
}

void Outbox::ForgetSent() { Acknowledge(sent_.size()); }

void Outbox::Recycle(std::unique_ptr<Batch> batch) {
  if (spare_.size() >= kSpares || batch->bytes > kSpareBytes) return;
  batch->message.Clear();
  batch->bytes = 0;
  batch->items = 0;
  spare_.push_back(std::move(batch));
}

}  // namespace poold::client::internal
