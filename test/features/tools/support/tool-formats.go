// Reads the configuration of tools that cannot be installed here as those tools do, with the libraries that they use, and asks the
// daemon for its version with what was read: FORMAT FILE. docs/clients.md names the sources that the keys are from.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/BurntSushi/toml"
	"github.com/docker/docker/client"
	hcl1 "github.com/hashicorp/hcl"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclparse"
	"gopkg.in/yaml.v3"
)

type found struct{ host, ca, cert, key string }

func inDirectory(host, directory string) found {
	at := func(name string) string { return filepath.Join(directory, name) }
	return found{host, at("ca.pem"), at("cert.pem"), at("key.pem")}
}

// GitLab Runner: helpers/docker/credentials.go.
func gitlabRunner(text []byte) found {
	var config struct {
		Runners struct {
			Docker struct {
				Host      string `toml:"host"`
				CertPath  string `toml:"tls_cert_path"`
				TLSVerify bool   `toml:"tls_verify"`
			} `toml:"docker"`
		} `toml:"runners"`
	}
	meta, err := toml.Decode(string(text), &config)
	must(err)
	docker := config.Runners.Docker
	if len(meta.Undecoded()) > 0 || !docker.TLSVerify {
		panic(fmt.Sprint("not taken: ", meta.Undecoded()))
	}
	return inDirectory(docker.Host, docker.CertPath)
}

// kreuzwerker/docker: the schema in internal/provider/provider.go.
func terraform(text []byte) found {
	file, problems := hclparse.NewParser().ParseHCL(text, "docker.tf")
	refuse(problems)
	var config struct {
		Provider struct {
			Name     string `hcl:"name,label"`
			Host     string `hcl:"host"`
			CertPath string `hcl:"cert_path"`
		} `hcl:"provider,block"`
	}
	refuse(gohcl.DecodeBody(file.Body, nil, &config))
	return inDirectory(config.Provider.Host, config.Provider.CertPath)
}

// Nomad: HCL 1 for the agent, then HCL 2's templates for what is in a plugin's config.
func nomad(text []byte) found {
	type block = []map[string]any
	var agent struct{ Plugin []map[string]block }
	must(hcl1.Decode(&agent, string(text)))
	config := agent.Plugin[0]["docker"][0]["config"].(block)[0]
	tls := config["tls"].(block)[0]
	read := func(value any) string {
		quoted, err := json.Marshal(map[string]any{"value": value})
		must(err)
		file, problems := hclparse.NewParser().ParseJSON(quoted, "nomad.json")
		refuse(problems)
		attributes, problems := file.Body.JustAttributes()
		refuse(problems)
		text, problems := attributes["value"].Expr.Value(&hcl.EvalContext{})
		refuse(problems)
		return text.AsString()
	}
	return found{read(config["endpoint"]), read(tls["ca"]), read(tls["cert"]), read(tls["key"])}
}

// Traefik: ClientConfig in pkg/provider/docker/shared.go.
func traefik(text []byte) found {
	var config struct {
		Providers struct {
			Docker struct {
				Endpoint string
				TLS      struct{ CA, Cert, Key string }
			}
		}
	}
	must(yaml.Unmarshal(text, &config))
	docker := config.Providers.Docker
	return found{docker.Endpoint, docker.TLS.CA, docker.TLS.Cert, docker.TLS.Key}
}

func main() {
	text, err := os.ReadFile(os.Args[2])
	must(err)
	readers := map[string]func([]byte) found{"gitlab-runner": gitlabRunner, "terraform": terraform, "nomad": nomad, "traefik": traefik}
	at := readers[os.Args[1]](text)
	tls := client.WithTLSClientConfig(at.ca, at.cert, at.key)
	docker, err := client.NewClientWithOpts(client.WithHost(at.host), tls, client.WithAPIVersionNegotiation())
	must(err)
	version, err := docker.ServerVersion(context.Background())
	must(err)
	fmt.Println(version.Version)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func refuse(problems hcl.Diagnostics) {
	if problems.HasErrors() {
		panic(problems)
	}
}
