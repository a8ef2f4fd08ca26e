# A container on a host, over TLS. The provider's block comes from docker-tls, into the same directory:
#   docker-tls env build-1 --client ci --format terraform > docker.tf
#   terraform init && terraform apply
terraform {
  required_providers {
    docker = {
      source = "kreuzwerker/docker"
    }
  }
}

resource "docker_image" "web" {
  name         = "nginx:1.29"
  keep_locally = true
}

resource "docker_container" "web" {
  name    = "web"
  image   = docker_image.web.image_id
  restart = "unless-stopped"

  ports {
    internal = 80
    external = 8080
  }
}
