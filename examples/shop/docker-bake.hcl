variable "RELEASE" {
  default = "dev"
}

group "default" {
  targets = ["web", "api"]
}

target "_shop" {
  dockerfile = "hardpan.yaml"
  args = {
    RELEASE = RELEASE
  }
  secret = ["id=price_key,env=PRICE_KEY"]
}

target "web" {
  inherits = ["_shop"]
  target   = "web"
  tags     = ["shop-web:${RELEASE}"]
}

target "api" {
  inherits = ["_shop"]
  target   = "api"
  tags     = ["shop-api:${RELEASE}"]
}
