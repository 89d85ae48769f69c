// Command podsecurity holds every pod of the objects on standard input against a level of the Pod Security
// Standards, with the evaluator that Kubernetes itself admits pods by.
//
// It prints one line a pod, "Kind/name: ok" or "Kind/name: what is refused and why", and exits with 1 where
// one is refused, with 2 where something cannot be read. Objects without pods are passed over; an object that
// has a pod in a place that is not known here would be passed over too, so the kinds are counted by the test.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	sigs "sigs.k8s.io/yaml"
)

func main() {
	if len(os.Args) != 2 {
		fail(errors.New("usage: podsecurity LEVEL < objects.yaml"))
	}
	level, err := api.ParseLevel(os.Args[1])
	if err != nil {
		fail(err)
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		fail(err)
	}
	at := api.LevelVersion{Level: level, Version: api.LatestVersion()}
	refused := false
	reader := yaml.NewYAMLReader(bufio.NewReader(os.Stdin))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			fail(err)
		}
		name, pod, err := podOf(document)
		if err != nil {
			fail(err)
		}
		if pod == nil {
			continue
		}
		result := policy.AggregateCheckResults(evaluator.EvaluatePod(at, &pod.ObjectMeta, &pod.Spec))
		if result.Allowed {
			fmt.Printf("%s: ok\n", name)
		} else {
			refused = true
			fmt.Printf("%s: %s\n", name, result.ForbiddenDetail())
		}
	}
	if refused {
		os.Exit(1)
	}
}

// podOf gives the name of an object, and its pod, nil where it has none.
func podOf(document []byte) (string, *corev1.PodTemplateSpec, error) {
	var object metav1.PartialObjectMetadata
	if err := sigs.Unmarshal(document, &object); err != nil {
		return "", nil, err
	}
	name := object.Kind + "/" + object.Name
	var pod corev1.PodTemplateSpec
	var err error
	switch object.Kind {
	case "Deployment":
		var found appsv1.Deployment
		err = sigs.UnmarshalStrict(document, &found)
		pod = found.Spec.Template
	case "CronJob":
		var found batchv1.CronJob
		err = sigs.UnmarshalStrict(document, &found)
		pod = found.Spec.JobTemplate.Spec.Template
	case "Job":
		var found batchv1.Job
		err = sigs.UnmarshalStrict(document, &found)
		pod = found.Spec.Template
	case "Pod":
		var found corev1.Pod
		err = sigs.UnmarshalStrict(document, &found)
		pod = corev1.PodTemplateSpec{ObjectMeta: found.ObjectMeta, Spec: found.Spec}
	default:
		return name, nil, nil
	}
	return name, &pod, err
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "podsecurity:", err)
	os.Exit(2)
}
