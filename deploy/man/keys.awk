# The configuration as poold prints it into roff: keys with what is said of them, without their values here and now.
function safe(text) {
  gsub(/\\/, "\\e", text)
  gsub(/-/, "\\-", text)
  if (text ~ /^[.']/) text = "\\&" text
  return text
}
function section(name) {
  if (name == "spool") return "Large payloads, in the table [spool]"
  if (name == "limits") return "Limits, in the table [limits]"
  return "A pool, in a table [pools.NAME]"
}
BEGIN { print ".SS Of the daemon" }
/^# / { about = substr($0, 3); next }
/^\[pools\]$/ { next }
/^\[/ { print ".SS " section(substr($0, 2, length($0) - 2)); next }
/ = / {
  print ".TP"
  print ".B " safe($1)
  print safe(about == "" ? "See above." : about)
  about = ""
}
