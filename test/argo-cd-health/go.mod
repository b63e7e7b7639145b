module flamegate.dev/argo-cd-health

go 1.25.5

require github.com/yuin/gopher-lua v1.1.1
