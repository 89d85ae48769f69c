#!/usr/bin/env bash
# A municipality's topics with kcat: the newest picture of each case as a line, then every change as it comes.
#
#     follow.sh HOST:PORT 2380 [--once]
#
# Prints «case revision picture», tab between. Begins with the snapshot on losus.2380.cases, then follows
# losus.2380.events from where the snapshot began. A revision that it has is passed over; one that leaves
# numbers out is told on standard error. --once ends at what is there now; otherwise Ctrl-C does. It keeps
# nothing: for looking, and for scripts; who must not lose anything takes one of the other two.
set -euo pipefail
kafka=$1 events="losus.$2.events" cases="losus.$2.cases" once=${3:-}
read_committed=(kcat -C -q -u -b "$kafka" -X isolation.level=read_committed)
record='%k\t%S\t%h\t%s\n'

# First where .events ends, then the snapshot to its end: what comes in between is in both. The end is that
# of what is decided: read_committed is what -Q asks by unless it is told otherwise.
partitions=$(kcat -L -b "$kafka" -t "$events" | grep -c '^ *partition ')
begin=()
for ((p = 0; p < partitions; p++)); do
  begin+=("$(kcat -Q -b "$kafka" -t "$events:$p:-1" | sed 's/.*offset //')")
done

snapshot() { # the last record of each key; one of size -1 is a tombstone
  "${read_committed[@]}" -t "$cases" -o beginning -e -f "$record" |
    awk -F '\t' '{ last[$1] = $2 < 0 ? "" : $0 } END { for (key in last) if (last[key] != "") print last[key] }'
}
changes() { # a reader for each partition, for each has an offset of its own; each line is passed on whole
  local readers=() reader line busy
  for ((p = 0; p < partitions; p++)); do
    exec {reader}< <("${read_committed[@]}" -t "$events" -p "$p" -o "${begin[p]}" ${once:+-e} -f "$record")
    readers+=("$reader")
  done
  while ((${#readers[@]})); do
    busy=
    for p in "${!readers[@]}"; do
      read -r -t 0 -u "${readers[p]}" || continue # nothing there yet
      busy=1
      if IFS= read -r -u "${readers[p]}" line; then printf '%s\n' "$line"; else unset "readers[p]"; fi
    done
    [[ $busy ]] || sleep 0.1
  done
}

declare -A known=()
{ snapshot; changes; } | while IFS=$'\t' read -r id size headers picture; do
  # types that we do not know are passed over
  [[ $headers =~ ce_type=se\.losus\.case\.(changed|deadline)\.v1 ]] || continue
  [[ $picture =~ \"revision\":([0-9]+) ]]
  revision=${BASH_REMATCH[1]} before=${known[$id]:-}
  if [[ $before ]]; then
    ((revision > before)) || continue # a repeat, or older than what we have
    ((revision == before + 1)) || echo "gap: $id from $before to $revision" >&2
  fi
  known[$id]=$revision
  [[ $picture == *'"moved":true'* ]] && picture= # no longer ours
  printf '%s\t%s\t%s\n' "$id" "$revision" "$picture"
done
