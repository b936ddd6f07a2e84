#include "cli/items/item_source.h"

#include "absl/strings/str_cat.h"
#include "cli/arguments.h"
#include "cli/exec_call.h"
#include "cli/text/value.h"
#include "nlohmann/json.hpp"

namespace poold::cli {
namespace {

constexpr char kNextColumn[] = ":::";

using Words = std::vector<std::string>;

absl::StatusOr<Json> Cell(const std::string& text, const ItemShape& shape) {
  if (shape.strings) return TextValue(text);
  return shape.json ? ValueFromJson(text) : ValueFromWord(text);
}

absl::StatusOr<Json> Call(const Words& cells, const ItemShape& shape) {
  Json call = Json::array();
  for (const std::string& text : cells) {
    auto value = Cell(text, shape);
    if (!value.ok()) return value.status();
    call.push_back(*std::move(value));
  }
  return call;
}

absl::StatusOr<Json> Spread(const std::string& text) {
  auto value = ValueFromJson(text);
  if (value.ok() && !value->is_array()) {
    return absl::InvalidArgumentError(absl::StrCat("--star wants an array of arguments, like [1,2]; given: ", text));
  }
  return value;
}

Words Split(const std::string& text, const std::string& delimiter) {
  Words cells;
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = text.find(delimiter, begin);
    cells.push_back(text.substr(begin, end - begin));
    if (end == std::string::npos) return cells;
    begin = end + delimiter.size();
  }
}

absl::StatusOr<client::Payload> Packed(const absl::StatusOr<Json>& call) {
  if (!call.ok()) return call.status();
  auto bytes = MsgpackFromValue(*call);
  if (!bytes.ok()) return bytes.status();
  return client::Payload{.encoding = client::Encoding::kMsgpack, .type_name = "", .data = *std::move(bytes)};
}

absl::StatusOr<client::Payload> FromText(const std::string& text, const ItemShape& shape) {
  if (shape.star) return Packed(Spread(text));
  return Packed(Call(shape.delimiter.empty() ? Words{text} : Split(text, shape.delimiter), shape));
}

absl::Status AtItem(uint64_t index, const absl::Status& status) {
  return absl::InvalidArgumentError(absl::StrCat("item ", index, ": ", std::string(status.message())));
}

// "1 2 ::: 3 4" is two columns. Each column is one argument.
absl::StatusOr<std::vector<Words>> Columns(const Words& words) {
  std::vector<Words> columns(1);
  for (const std::string& word : words) {
    if (word == kNextColumn) {
      columns.emplace_back();
    } else {
      columns.back().push_back(word);
    }
  }
  for (const Words& column : columns) {
    if (column.size() == columns.front().size()) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "the columns between ::: are not of one length: ", columns.front().size(), " items and ", column.size()));
  }
  return columns;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ItemSource>> ItemSource::Open(const MapOptions& options) {
  std::unique_ptr<ItemSource> source(new ItemSource(options));
  const bool exec = IsExec(options.function);
  if (!exec && options.exec.Any()) return OnlyWithExec(options.function);
  if (!options.words.empty() && !exec) {
    if (!options.file.empty())
      return absl::InvalidArgumentError("items were given and --file too; one of them must go");
    if (absl::Status status = source->TakeWords(); !status.ok()) return status;
    return source;
  }
  if (exec && options.words.empty()) return absl::InvalidArgumentError("map exec wants a program: map exec -- gzip {}");
  const std::string path = options.file.empty() ? "-" : options.file;
  if (exec && !options.exec.stdin_file.empty()) {
    if (options.exec.stdin_file == path)
      return absl::InvalidArgumentError("standard input cannot be items and --stdin");
    auto bytes = FileContent(options.exec.stdin_file);
    if (!bytes.ok()) return bytes.status();
    source->stdin_bytes_ = *std::move(bytes);
  }
  auto reader = RecordReader::Open(path, options.null_separated ? '\0' : '\n');
  if (!reader.ok()) return reader.status();
  source->reader_ = *std::move(reader);
  return source;
}

void ItemSource::Abandon() {
  if (reader_ != nullptr) reader_->Abandon();
}

absl::Status ItemSource::TakeWords() {
  auto columns = Columns(options_.words);
  if (!columns.ok()) return columns.status();
  const std::size_t rows = columns->front().size();
  for (std::size_t row = 0; row < rows; ++row) {
    Words cells;
    for (const Words& column : *columns) cells.push_back(column[row]);
    auto item = cells.size() == 1 ? FromText(cells.front(), options_.shape) : Packed(Call(cells, options_.shape));
    if (!item.ok()) return AtItem(row, item.status());
    ready_.push_back(*std::move(item));
  }
  count_ = rows;
  return absl::OkStatus();
}

absl::StatusOr<client::Payload> ItemSource::FromRecord(const std::string& record) const {
  if (!IsExec(options_.function)) return FromText(record, options_.shape);
  return ExecArguments(WithItem(options_.words, record), stdin_bytes_, options_.exec);
}

absl::StatusOr<std::optional<client::Payload>> ItemSource::NextRecord() {
  std::optional<std::string> record;
  do {
    auto read = reader_->Next();
    if (!read.ok()) return read.status();
    record = *std::move(read);
    // JSON lines may have empty ones between them.
  } while (record && options_.shape.json && record->find_first_not_of(" \t\r") == std::string::npos);
  if (!record) return std::optional<client::Payload>();
  auto item = FromRecord(*record);
  if (!item.ok()) return AtItem(next_, item.status());
  ++next_;
  return std::optional<client::Payload>(*std::move(item));
}

absl::StatusOr<std::optional<client::Payload>> ItemSource::Next() {
  if (reader_ != nullptr) return NextRecord();
  if (next_ == ready_.size()) return std::optional<client::Payload>();
  return std::optional<client::Payload>(std::move(ready_[next_++]));
}

}  // namespace poold::cli
