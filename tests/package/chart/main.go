// Renders a Helm chart as Helm does, for tests: Helm itself with its client of Kubernetes takes minutes to build, its templates are
// text/template with the functions of sprig and a few of its own, which are here.
//
//	chart CHART RELEASE VALUES    prints every template of the chart; VALUES, JSON or YAML, stand over the chart's values
//
// deployment_test.py compares it with Helm where Helm is installed.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	"sigs.k8s.io/yaml"
)

type values = map[string]any

func read(path string) (values, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	read := values{}
	return read, yaml.Unmarshal(text, &read)
}

// over merges maps; anything else replaces what was there, and null takes it away.
func over(base, top values) values {
	merged := values{}
	for name, value := range base {
		merged[name] = value
	}
	for name, value := range top {
		lower, isMap := merged[name].(values)
		if upper, ok := value.(values); ok && isMap {
			merged[name] = over(lower, upper)
		} else if value == nil {
			delete(merged, name)
		} else {
			merged[name] = value
		}
	}
	return merged
}

// capitalised turns the members of Chart.yaml into the names that templates use.
func capitalised(chart values) values {
	named := values{}
	for name, value := range chart {
		named[strings.ToUpper(name[:1])+name[1:]] = value
	}
	return named
}

func functions(root *template.Template) template.FuncMap {
	all := sprig.TxtFuncMap()
	delete(all, "env")
	delete(all, "expandenv")
	all["include"] = func(name string, data any) (string, error) {
		var text strings.Builder
		err := root.ExecuteTemplate(&text, name, data)
		return text.String(), err
	}
	all["toYaml"] = func(value any) (string, error) {
		text, err := yaml.Marshal(value)
		return strings.TrimSuffix(string(text), "\n"), err
	}
	all["fail"] = func(message string) (string, error) { return "", errors.New(message) }
	all["required"] = func(message string, value any) (any, error) {
		if value == nil || value == "" {
			return nil, errors.New(message)
		}
		return value, nil
	}
	return all
}

func render(directory, release, given string) error {
	chart, err := read(filepath.Join(directory, "Chart.yaml"))
	if err != nil {
		return err
	}
	defaults, err := read(filepath.Join(directory, "values.yaml"))
	if err != nil {
		return err
	}
	set, err := read(given)
	if err != nil {
		return err
	}
	root := template.New("chart").Option("missingkey=zero")
	root.Funcs(functions(root))
	paths, err := filepath.Glob(filepath.Join(directory, "templates", "*"))
	if err != nil {
		return err
	}
	sort.Strings(paths)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if _, err = root.New(filepath.Base(path)).Parse(string(text)); err != nil {
			return err
		}
	}
	data := values{
		"Values":  over(defaults, set),
		"Chart":   capitalised(chart),
		"Release": values{"Name": release, "Namespace": "default", "Service": "Helm", "IsInstall": true, "Revision": 1},
	}
	for _, path := range paths {
		name := filepath.Base(path)
		if strings.HasPrefix(name, "_") {
			continue
		}
		var text strings.Builder
		if err := root.ExecuteTemplate(&text, name, data); err != nil {
			return err
		}
		if strings.HasSuffix(name, ".yaml") && strings.TrimSpace(text.String()) != "" {
			fmt.Printf("---\n# %s\n%s\n", name, text.String())
		}
	}
	return nil
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: chart CHART RELEASE VALUES")
		os.Exit(2)
	}
	if err := render(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
