# One --help into roff: with `command`, as a section of its own. What is said of each option begins in `column`.
function safe(text) {
  gsub(/\\/, "\\e", text)
  gsub(/-/, "\\-", text)
  if (text ~ /^[.']/) text = "\\&" text
  return text
}
# "--null N:POSITIVE Excludes: --file" is "--null N".
function plain(text) {
  sub(/ Excludes:.*/, "", text)
  sub(/ REQUIRED/, "", text)
  gsub(/\{false\}/, "", text)
  sub(/:(POSITIVE|INT in|UINT in|\{).*/, "", text)
  sub(/ \.\.\.$/, "", text)
  gsub(/,/, ", ", text)
  return text
}
function flush_entry() {
  if (name == "") return
  print ".TP"
  print ".B " safe(plain(name))
  print safe(about)
  name = about = ""
}
NR == 1 && command != "" { print ".SS " command; about_command = $0; next }
/^Usage: / && command != "" {
  usage = substr($0, length("Usage: poolctl ") + 1)
  print ".B " safe(usage)
  print ".PP"
  print safe(about_command) "."
  next
}
/^(Options|Positionals):/ { flush_entry(); on = 1; next }
/^$/ || /^[A-Z][a-z]+:/ { flush_entry(); on = 0; next }
on && /^  [^ ]/ {
  flush_entry()
  # What is said of each begins in one column, or on a line of its own.
  split_here = substr($0, column - 1, 1) == " " && substr($0, column, 1) != " "
  name = split_here ? substr($0, 3, column - 3) : substr($0, 3)
  about = split_here ? substr($0, column) : ""
  sub(/ +$/, "", name)
  if (name ~ /^-h,--help/ && command != "") name = about = ""
  next
}
on { sub(/^ */, ""); about = about == "" ? $0 : about " " $0 }
END { flush_entry() }
