"""What deploy/ holds for containers and Kubernetes: deployment_test.py TOOLS PROGRAM [TEST...]. There is no container engine here: files are held
to their schemas, the Dockerfile to its linter, and the settings in them to the program that will read them."""

import glob
import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import jsonschema  # noqa: E402
import yaml  # noqa: E402

TOOLS = PROGRAM = None
DEPLOY = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "deploy"))


def run(*command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)


def documents(path):
    with open(path, encoding="utf-8") as file:
        return list(yaml.safe_load_all(file))


def accepts(settings, text=""):
    """What the program says of an environment and a file; nothing when it would start with them."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "concord.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        done = run(PROGRAM, "config", "check", "--config", path, env={"PATH": os.environ["PATH"], **settings})
        return "" if done.returncode == 0 else done.stdout


def written(settings, text=""):
    """The directories that a node writes to, by the names of their settings, as the program reads an environment and a file."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "concord.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        said = run(PROGRAM, "config", "show", "--output", "json", "--config", path, env={"PATH": os.environ["PATH"], **settings}).stdout
        shown = {one["key"]: one["value"] for one in json.loads(said)}
        return {name: shown[name] for name in ("node.data_dir", "backup.dir", "audit_log.log_dir")}


def volumes_of(nodes):
    """Where the claims of a StatefulSet are mounted."""
    claims = {one["metadata"]["name"] for one in nodes["spec"]["volumeClaimTemplates"]}
    (container,) = nodes["spec"]["template"]["spec"]["containers"]
    return {mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] in claims}


class ContainerTest(unittest.TestCase):
    def test_the_linter_finds_nothing_in_the_dockerfile(self):
        # Packages come from a release that only gets mends of security: to name their versions would keep these out.
        done = run(os.path.join(TOOLS, "hadolint"), "--ignore", "DL3008", os.path.join(DEPLOY, "container", "Dockerfile"))
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_the_compose_file_holds_to_its_schema(self):
        (compose,) = documents(os.path.join(DEPLOY, "container", "compose.yaml"))
        del compose["name"]  # younger than the schema
        schema = glob.glob(os.path.join(TOOLS, "..", "lib", "python3*", "site-packages", "compose", "config", "compose_spec.json"))
        with open(schema[0], encoding="utf-8") as file:
            jsonschema.validate(compose, json.load(file))

    def test_the_nodes_of_the_compose_file_may_start(self):
        (compose,) = documents(os.path.join(DEPLOY, "container", "compose.yaml"))
        nodes = {name: service for name, service in compose["services"].items() if service["image"] == "concord"}
        self.assertEqual(len(nodes), 3)
        for name, service in nodes.items():
            settings = dict(service["environment"], CONCORD_COOKIE="a secret")
            self.assertEqual(accepts(settings), "", name)
            self.assertIn(f"{name}={name}:9100", settings["CONCORD_INITIAL_CLUSTER"])
            mounted = {there: volume for volume, there in (one.split(":") for one in service["volumes"])}
            directories = written({"CONCORD_DATA_DIR": "/data", **settings}).values()  # the image says where the data is
            self.assertEqual(sorted(directories), sorted(mounted), "each on a volume of its own")
            self.assertLessEqual(set(mounted.values()), set(compose["volumes"]))
            self.assertTrue(all(volume.startswith(name) for volume in mounted.values()), "no node writes to another's")
        self.assertIn("no-such-key", accepts({}, "[node]\nno-such-key = 1\n"), "a check that can fail")


class ScriptsTest(unittest.TestCase):
    def test_the_linter_finds_nothing_in_the_scripts(self):
        done = run(os.path.join(TOOLS, "shellcheck"), *glob.glob(os.path.join(DEPLOY, "scripts", "*.sh")))
        self.assertEqual((done.returncode, done.stdout), (0, ""))


class KubernetesTest(unittest.TestCase):
    def manifests(self):
        (kustomization,) = documents(os.path.join(DEPLOY, "kubernetes", "kustomization.yaml"))
        return [os.path.join(DEPLOY, "kubernetes", name) for name in kustomization["resources"]]

    def objects(self, kind):
        return [one for path in self.manifests() for one in documents(path) if one["kind"] == kind]

    def test_every_manifest_is_listed(self):
        there = set(glob.glob(os.path.join(DEPLOY, "kubernetes", "*.yaml")))
        self.assertEqual(set(self.manifests()) | {os.path.join(DEPLOY, "kubernetes", "kustomization.yaml")}, there)

    def test_manifests_hold_to_their_schemas(self):
        for path in self.manifests():
            done = run(os.path.join(TOOLS, "kubernetes-validate"), "--strict", path)
            self.assertEqual(done.returncode, 0, done.stdout)

    def test_the_nodes_may_start_with_what_they_are_told(self):
        (settings,) = self.objects("ConfigMap")
        (nodes,) = self.objects("StatefulSet")
        (container,) = nodes["spec"]["template"]["spec"]["containers"]
        environment = {one["name"]: one.get("value", "concord-0") for one in container["env"]}
        environment["CONCORD_COOKIE"] = "a secret"
        text = settings["data"]["concord.toml"].replace('cookie_file = "/etc/concord-secret/cookie"\n', "")
        self.assertEqual(accepts(environment, text), "")
        self.assertEqual(sorted(written(environment, text).values()), sorted(volumes_of(nodes)), "each on a volume of its own")

    def test_names_and_ports_agree(self):
        (nodes,) = self.objects("StatefulSet")
        (container,) = nodes["spec"]["template"]["spec"]["containers"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        services = {one["metadata"]["name"]: one["spec"] for one in self.objects("Service")}
        self.assertIn(nodes["spec"]["serviceName"], services)
        labels = nodes["spec"]["template"]["metadata"]["labels"]
        for name, service in services.items():
            self.assertLessEqual(service["selector"].items(), labels.items(), name)
            for port in service["ports"]:
                self.assertEqual(ports[port["targetPort"]], port["port"])
        (settings,) = self.objects("ConfigMap")
        self.assertIn(f'dns_name = "{nodes["spec"]["serviceName"]}"', settings["data"]["concord.toml"])
        self.assertIn(f'expected_size = {nodes["spec"]["replicas"]}', settings["data"]["concord.toml"])


def main():
    global TOOLS, PROGRAM
    TOOLS, PROGRAM = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    del sys.argv[1:3]
    unittest.main(verbosity=2)


if __name__ == "__main__":
    main()
