#!/bin/sh
# Gradient descent on (x - 3)^2 by awk. Usage: minimise.sh STEPS RATE [--momentum]
momentum=0
[ "$3" = --momentum ] && momentum=0.5
awk -v steps="$1" -v rate="$2" -v momentum="$momentum" 'BEGIN {
  for (step = 1; step <= steps; step++) {
    speed = momentum * speed - rate * 2 * (x - 3)
    x += speed
    printf "step %d: error = %.6f\n", step, (x - 3) ^ 2
  }
}'
