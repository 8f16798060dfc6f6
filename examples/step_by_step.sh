#!/bin/sh
# The study of a recording, stage by stage: examples/step_by_step.sh VIDEO OUT
#
# The numbers are the study's CPU example (docs/study.md); study.yaml and study.py beside this file do the same.
# Calling it again costs nothing: a stage whose result is fresh says so and does not run.
set -eu

if [ $# -ne 2 ]; then
  echo "usage: examples/step_by_step.sh VIDEO OUT" >&2
  exit 2
fi
video=$1
out=$2
project=$out/study.h5
mkdir -p "$out"

vbtools extract "$video" -p "$project" --fps 15 --resize-long 960 --sample-every 1
vbtools segment -p "$project" --backend mediapipe
vbtools align -p "$project" --method farneback
vbtools aggregate -p "$project" --method median
vbtools enhance -p "$project" --steps denoise,clahe
vbtools inspect -p "$project" --ocr --on both

vbtools status -p "$project"
vbtools export -p "$project" -o "$out/pictures"
