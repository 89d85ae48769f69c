//go:build crds

// Package tools names what no program here imports: the types of the Prometheus operator, from which
// controller-gen makes its definitions of resources, as the operator's own project does.
package tools

import _ "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
