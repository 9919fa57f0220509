// npm run build
import { build } from './build-tree.mjs'

build()
