module t8s.dev/bench/generator

go 1.26
