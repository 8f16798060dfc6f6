#!/bin/sh
# What does the way of aggregating change? examples/ablation.sh PROJECT.h5 OUT
#
# PROJECT is one that study.yaml, step_by_step.sh or study.py made. It stays as it is: a copy beside it shares the
# frames, masks and motion in its data folder, so that each branch costs only the stages that it changes.
set -eu

if [ $# -ne 2 ]; then
  echo "usage: examples/ablation.sh PROJECT.h5 OUT" >&2
  exit 2
fi
project=$1
out=$2
recipe=$(dirname "$0")/study.yaml
mkdir -p "$out"

for method in mean max; do
  branch=${project%.h5}-$method.h5
  cp "$project" "$branch"
  vbtools run "$recipe" -p "$branch" --from aggregate --set "aggregate.method=$method"
  vbtools compare "$project" "$branch" -o "$out/$method"
done
